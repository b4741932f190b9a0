"""The original's step is loaded from a checkout, whose other modules are not, and is given what it asks for."""

import copy
import sys
from pathlib import Path

import pytest
import torch

from distilkobert.models.teachers import EncoderSpec
from experiments.bench.__main__ import main
from experiments.bench.baselines.reference import PLACES, reference_step
from experiments.bench.steps.distilling import Distilling, make_batch, make_module

DISTILLER = """
import psutil
from grouped_batch_sampler import GroupedBatchSampler, create_lengths_groups
from lm_seqs_dataset import LmSeqsDataset
from utils import logger


class Distiller:
    def __init__(self, params, dataset, token_probs, student, teacher):
        logger.info("made")
        self.params, self.student, self.teacher = params, student, teacher
        assert len(dataset) and len(token_probs) == student.config.vocab_size

    def step(self, input_ids, attention_mask, lm_labels):
        logits, states = self.student(input_ids=input_ids, attention_mask=attention_mask)
        again = self.teacher(input_ids=input_ids, attention_mask=attention_mask)
        self.seen = logits.shape, states[-1].shape, again["logits"].shape, len(again["hidden_states"])
        self.given = attention_mask.dtype, lm_labels
"""
"""Of our own writing, with the original's interface in both of its forms: outputs by place and by name."""
DISTILLING = Distilling(EncoderSpec(3, 32, 2, 64, dropout=0.0), (0, 2), 60, 4, 16)


@pytest.mark.parametrize("place", PLACES)
def test_the_step_gets_networks_and_batch_in_the_originals_form(place: str, tmp_path: Path) -> None:
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    (tmp_path / place / "distiller.py").write_text(DISTILLER, encoding="utf-8")
    (tmp_path / place / "utils.py").write_text("raise AssertionError('not to be loaded')", encoding="utf-8")
    module, batch = make_module(DISTILLING), make_batch(DISTILLING)
    before = set(sys.modules)
    step = reference_step(tmp_path, module.teacher_run.model, copy.deepcopy(module.network), lr=5e-4, clip=5.0)
    assert not {"utils", "lm_seqs_dataset", "grouped_batch_sampler", "reference_distiller"} & (
        set(sys.modules) - before
    )
    step(**batch)
    distiller = step.args[0]  # type: ignore[attr-defined]
    assert distiller.seen == ((4, 16, 60), (4, 16, 32), (4, 16, 60), 4)
    assert distiller.given[0] == torch.bool
    assert torch.equal(distiller.given[1], batch["labels"])
    assert distiller.student.training
    assert not distiller.teacher.training
    assert (distiller.params.learning_rate, distiller.params.max_grad_norm, distiller.params.temperature) == (
        5e-4,
        5,
        2,
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no distiller.py there; expected a checkout of monologg/DistilKoBERT"),
        ("import nothing_of_that_name", "distiller.py is not the distiller that this benchmark knows (ModuleNotFound"),
        ("class Distiller: pass", "is not the distiller that this benchmark knows (TypeError"),
        ("x = 1", "is not the distiller that this benchmark knows (AttributeError"),
    ],
)
def test_what_is_no_original_is_refused(content: str | None, message: str, tmp_path: Path, capsys) -> None:
    if content is not None:
        (tmp_path / "distiller.py").write_text(content, encoding="utf-8")
    small = ["--layers", "3", "--hidden_size", "32", "--heads", "2", "--length", "16", "--student_layers", "0", "2"]
    assert main(["distil", "--reference", str(tmp_path), "--batch", "2", "--vocab_size", "60", *small]) == 2
    assert message in capsys.readouterr().err


def test_the_command_times_it(tmp_path: Path, capsys) -> None:
    (tmp_path / "distiller.py").write_text(DISTILLER, encoding="utf-8")
    small = ["--layers", "3", "--hidden_size", "32", "--heads", "2", "--length", "16", "--student_layers", "0", "2"]
    options = ["--batch", "2", "--vocab_size", "60", "--rounds", "1", "--reference", str(tmp_path)]
    assert main(["distil", *options, *small]) == 0
    assert "times as fast as the original's" in capsys.readouterr().out
