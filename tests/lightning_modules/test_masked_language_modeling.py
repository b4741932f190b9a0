"""Held-out metrics of pretraining over batches of other sizes."""

from pathlib import Path

import pytest
import torch
from torch import nn

from distilkobert.models.compute import ComputeSpec
from lightning_modules import MaskedLanguageModeling
from tests.support.networks.tiny import tiny_teacher


@pytest.mark.parametrize("continued", [True, False])
@pytest.mark.parametrize("spec", [ComputeSpec(), ComputeSpec(compile=True), ComputeSpec(gradient_checkpointing=True)])
def test_compute_reaches_the_network_whatever_it_starts_from(
    spec: ComputeSpec, continued: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[nn.Module] = []
    monkeypatch.setattr(nn.Module, "compile", lambda self, **options: compiled.append(self))
    source = {}
    if continued:
        tiny_teacher(layers=1).save_pretrained(tmp_path)
        source = {"init_from": str(tmp_path)}
    module = MaskedLanguageModeling(vocab_size=50, compute=spec, **source)
    module.build()
    assert compiled == [module.network.base_model] * spec.compile
    assert module.network.is_gradient_checkpointing is spec.gradient_checkpointing


def test_held_out_means_count_every_masked_token_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One token, predicted rightly, at a loss of 4; three at a mean loss of 1, of which the second alone is right."""
    module = MaskedLanguageModeling()
    first = (torch.tensor(4.0), torch.tensor([[0.0, 2.0, -1.0]]), torch.tensor([1]))
    logits = torch.tensor([[3.0, 1.0, 0.0], [0.0, 1.0, 2.0], [2.0, 0.0, 1.0]])
    found = iter([first, (torch.tensor(1.0), logits, torch.tensor([1, 2, 2]))])
    monkeypatch.setattr(module, "_masked_lm", lambda batch: next(found))
    monkeypatch.setattr(module, "log", lambda *args, **settings: None)
    for _ in range(2):
        module.evaluate("val", {})
    assert float(module.means.compute("loss")) == pytest.approx((1 * 4.0 + 3 * 1.0) / 4)
    assert float(module.means.compute("accuracy")) == pytest.approx((1 + 1) / 4)
