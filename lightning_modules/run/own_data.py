"""Scores of a run's own data, and of all of it: what another evaluation must not replace."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_info

from distilkobert.io.metric_names import CORPUS_CONTENT, FILE_CONTENT, LIMITED_TEST, LIMITED_VAL, TEST, has_any
from distilkobert.io.run_files import read_metrics

_READ: Final = {
    "validate": {FILE_CONTENT.format("dev"): "dev file", CORPUS_CONTENT: "corpus"},
    "test": {FILE_CONTENT.format("test"): "test file", CORPUS_CONTENT: "corpus"},
}
"""By command, the fact that names the content of what it reads, and what that is in words."""


def refuse_other_data(folder: Path, command: str, facts: Mapping[str, Any], checkpoint: str | None) -> None:
    """Refuse to replace metrics in a run's folder by those of other data; the same content may be in another place.

    Args:
        folder: the run's; its `metrics.json` says which data the run has used.
        command: `validate` or `test`; others replace no metrics of an evaluation.
        facts: of the data module, once it has read what the command needs.
        checkpoint: the evaluated one; None without one.

    Raises:
        ValueError: the content differs; says what is different and where to write the metrics instead.
    """
    recorded = read_metrics(folder)
    for name, kind in _READ.get(command, {}).items():
        before, now = recorded.get(name), facts.get(name)
        if before is not None and now is not None and before != now:
            weights = f" --ckpt_path={checkpoint}" if checkpoint else ""
            raise ValueError(
                f"{folder}: this {command} reads other data than the run: its {kind} has other content ({name}: run "
                f"{before[:12]}, now {now[:12]}). Metrics of other data do not replace the run's; write them to a "
                f"folder of their own:{weights} --run.arm=NAME, or give the run's data"
            )


def keeps_whole_test(trainer: pl.Trainer, folder: Path) -> bool:
    """Whether a test that has just read a part of its batches ends in a folder with scores of all of them."""
    if trainer.state.fn != "test" or not limits(trainer):
        return False
    metrics = read_metrics(folder)
    return has_any(metrics, TEST) and LIMITED_TEST not in metrics


def limits(trainer: pl.Trainer) -> dict[str, str]:
    """How many of its batches the evaluation that has just ended has read, where these are not all."""
    testing = trainer.state.fn == "test"
    loader: Any = trainer.test_dataloaders if testing else trainer.val_dataloaders
    read = sum(trainer.num_test_batches if testing else trainer.num_val_batches)
    total = 0 if loader is None else len(loader)
    return {} if read >= total else {LIMITED_TEST if testing else LIMITED_VAL: f"{read} of {total} batches"}


def note_limits(trainer: pl.Trainer, kept: bool) -> None:
    """Print, after a test of a part of the batches, what the scores are, and what became of them.

    Args:
        trainer: the trainer.
        kept: whether the folder keeps the metrics and predictions of an earlier, whole test.
    """
    if count := limits(trainer).get(LIMITED_TEST):
        fate = "; the folder keeps metrics and predictions of its whole test" if kept else ""
        rank_zero_info(
            f"test has read {count}, as trainer.limit_test_batches says; the scores are those of a part{fate}. "
            "--trainer.limit_test_batches=1.0 reads all"
        )
