"""Objectives on the logits of a task: padding takes no part."""

import pytest
import torch
from torch import Tensor
from transformers import BertForQuestionAnswering

from distilkobert.batching import IGNORE_INDEX
from distilkobert.models.task_forward import TaskRun, logit_rows, network_inputs
from distilkobert.objectives import Batch, LogitsMSE, SoftTargets
from distilkobert.objectives.weighted_sum import Captured
from distilkobert.tasks.kinds import QUESTION_ANSWERING
from tests.support.networks.tiny import tiny_teacher

LENGTHS = (4, 7)
NAMES = ("start_logits", "end_logits")


def answering(seed: int) -> BertForQuestionAnswering:
    config = tiny_teacher(layers=1).config
    torch.manual_seed(seed)
    network = BertForQuestionAnswering(config).eval()
    network.qa_outputs.weight.data.normal_()
    return network


def losses(padded_to: int) -> tuple[float, float, Tensor]:
    """LogitsMSE, SoftTargets and the squared differences at real positions for two texts padded to a length."""
    mask = torch.tensor([[1] * length + [0] * (padded_to - length) for length in LENGTHS])
    ids = torch.arange(5, 5 + padded_to).expand(2, -1) * mask + (1 - mask)
    batch = {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}
    tokens = Batch(ids, mask, torch.full_like(ids, IGNORE_INDEX))
    outputs, logits = [], []
    for seed in (1, 2):
        run = TaskRun(answering(seed), Captured(frozenset(), frozenset(), "real_tokens"))
        with torch.no_grad():
            found, kept = run(network_inputs(run.model, batch), NAMES)
        outputs.append(run.outputs(kept, logit_rows(QUESTION_ANSWERING, found, mask), tokens))
        logits.append(torch.stack(found))
    squares = (logits[0] - logits[1]).square()
    real = torch.stack([squares[end, row, :length].mean() for end in range(2) for row, length in enumerate(LENGTHS)])
    return LogitsMSE()(*outputs, tokens).item(), SoftTargets()(*outputs, tokens).item(), real.mean()


def test_padding_does_not_make_the_logits_of_answers_nearer() -> None:
    tight, soft, expected = losses(max(LENGTHS))
    assert tight > 0.1
    loose, softer, _ = losses(30)
    assert tight == pytest.approx(expected.item(), rel=1e-4)
    assert loose == pytest.approx(tight, rel=1e-4)
    assert softer == pytest.approx(soft, rel=1e-4)
