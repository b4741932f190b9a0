"""The scores of every form of an exported model, measured by the module and on the data of its run."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Part = Literal["dev", "test"]
STAGES: dict[Part, str] = {"dev": "val", "test": "test"}
"""How the names of a part's scores begin."""


def measure_scores(
    checkpoint: Path, networks: "Mapping[str, PreTrainedModel]", part: Part, overrides: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Score networks instead of the checkpoint's own.

    Args:
        checkpoint: of a fine-tuning, in its run's folder; data and settings are those of the run.
        networks: by the name of their form.
        part: examples that are scored.
        overrides: options of `experiments.train`, for data that has moved.

    Returns:
        By form, the scores by name: `test/accuracy`, `test/loss`, and so on.

    Raises:
        FileNotFoundError: the run has no configuration, or its data is not there.
        ValueError: the run is not a fine-tuning, or has no such part.
    """
    import pytorch_lightning as pl

    from experiments._shared.quiet import only_from, quieten_lightning
    from experiments._shared.run.loaded import load_run
    from lightning_modules.task_module import TaskModule

    quieten_lightning()
    module, data = load_run(checkpoint, overrides)
    if not isinstance(module, TaskModule):
        raise ValueError(
            f"{checkpoint} is of {type(module).__name__}, which has no task to evaluate; leave --evaluate out, or "
            "export a fine-tuned model"
        )
    scores = {}
    for name, network in networks.items():
        module.network = network
        with only_from(logging.WARNING, "pytorch_lightning", "pytorch_lightning.utilities.rank_zero"):
            trainer = pl.Trainer(
                accelerator="cpu", devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
                enable_model_summary=False, use_distributed_sampler=False,
            )  # fmt: skip
            evaluate = trainer.test if part == "test" else trainer.validate
            (found,) = evaluate(module, datamodule=data, verbose=False)
        stage = f"{STAGES[part]}/"
        scores[name] = {key: float(value) for key, value in found.items() if key.startswith(stage)}
    return scores
