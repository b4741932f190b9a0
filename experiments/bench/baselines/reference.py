"""The original's own step, compared with ours: its `Distiller`, from a checkout that the user has.

The class is that of huggingface/transformers' distillation example, which monologg/DistilKoBERT has as
`distillation/distiller.py`. Of the checkout that one file is loaded. What else it imports of its own stands for data
sets and logs, which a step does not use, and is replaced.
"""

import importlib.util
import logging
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from experiments.bench.baselines.naive_distillation import TEMPERATURE, TERM_WEIGHT

FILE: Final = "distiller.py"
PLACES: Final = (".", "distillation", "examples/research_projects/distillation", "examples/distillation")
"""Folders of a checkout in which the file is looked for."""
_NEVER: Final = 10**9
_OUTPUTS: Final = ("logits", "hidden_states")


class _Outputs(tuple[Any, ...]):
    """Outputs by place, as versions of 2019 take them, and by name, as later ones do."""

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(_OUTPUTS.index(key) if isinstance(key, str) else key)


class _Network(nn.Module):
    """A network of this transformers, in the form that the original calls."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model, self.config = model, model.config

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> _Outputs:
        found = self.model(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
        return _Outputs((found.logits, found.hidden_states))


class _NoData:
    """A data set of one sequence, for its length alone."""

    def __len__(self) -> int:
        return 1

    def batch_sequences(self, batch: Any) -> Any:
        """Never called."""


def reference_step(
    checkout: Path, teacher: PreTrainedModel, student: PreTrainedModel, *, lr: float, clip: float
) -> Callable[..., None]:
    """The original's step, which takes `input_ids`, `attention_mask` and `labels`, each (B, T).

    Args:
        checkout: folder with the original.
        teacher: a masked-LM model.
        student: a masked-LM model of the same width; it is trained.
        lr: learning rate.
        clip: largest norm of the gradient.

    Raises:
        FileNotFoundError: there is no distiller in the folder.
        ValueError: it cannot be loaded, or is of another form.
    """
    path = next((checkout / place / FILE for place in PLACES if (checkout / place / FILE).is_file()), None)
    if path is None:
        raise FileNotFoundError(
            f"--reference={checkout}: no {FILE} there; expected a checkout of monologg/DistilKoBERT or of transformers "
            "with examples/research_projects/distillation"
        )
    try:
        distiller = _load(path).Distiller(
            params=_settings(lr, clip),
            dataset=_NoData(),
            token_probs=torch.ones(student.config.vocab_size),
            student=_Network(student).train(),
            teacher=_Network(teacher).eval(),
        )
    except (ImportError, AttributeError, TypeError, SyntaxError) as error:
        raise ValueError(f"{path} is not the distiller that this benchmark knows ({error!r})") from error
    return partial(_step, distiller)


def _step(distiller: Any, *, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> None:
    distiller.step(input_ids=input_ids, attention_mask=attention_mask.bool(), lm_labels=labels)


def _load(path: Path) -> ModuleType:
    """Run the file, with stand-ins for its neighbour modules; none of it stays among the loaded modules."""
    replaced: dict[str, dict[str, Any]] = {
        "grouped_batch_sampler": {"GroupedBatchSampler": None, "create_lengths_groups": None},
        "lm_seqs_dataset": {"LmSeqsDataset": _NoData},
        "utils": {"logger": logging.getLogger("reference")},
        "psutil": {},
    }
    before = {name: sys.modules.get(name) for name in replaced}
    spec = importlib.util.spec_from_file_location("reference_distiller", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        for name, content in replaced.items():
            sys.modules[name] = ModuleType(name)
            vars(sys.modules[name]).update(content)
        spec.loader.exec_module(module)
    finally:
        for name, found in before.items():
            if found is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = found
    return module


def _settings(lr: float, clip: float) -> SimpleNamespace:
    """Those of the published recipe, one process on the CPU, without logs and checkpoints."""
    return SimpleNamespace(
        dump_path=tempfile.gettempdir(), multi_gpu=False, fp16=False, n_gpu=0, local_rank=-1, is_master=False,
        group_by_size=False, batch_size=1, n_epoch=1, gradient_accumulation_steps=1, log_interval=_NEVER,
        checkpoint_interval=_NEVER, mlm=True, mlm_mask_prop=0.15, word_mask=0.8, word_keep=0.1, word_rand=0.1,
        restrict_ce_to_mask=False, temperature=TEMPERATURE, alpha_ce=TERM_WEIGHT, alpha_mlm=TERM_WEIGHT, alpha_clm=0.0,
        alpha_mse=0.0, alpha_cos=TERM_WEIGHT, learning_rate=lr, adam_epsilon=1e-6, weight_decay=0.0, warmup_prop=0.05,
        max_grad_norm=clip,
    )  # fmt: skip
