"""An ONNX file is called with the inputs that a network of transformers takes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import DistilBertConfig, DistilBertForSequenceClassification

from distilkobert.models import onnx_network
from distilkobert.models.task_forward import network_inputs


class Session:
    """A session of ONNX Runtime for a file with ids and mask, of int64 as the export makes them."""

    def __init__(self) -> None:
        self.feed: dict[str, np.ndarray[Any, Any]] = {}

    def get_inputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name=name) for name in ("input_ids", "attention_mask")]

    def get_outputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="logits")]

    def run(self, names: list[str], feed: dict[str, np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
        self.feed = feed
        return [np.zeros((len(feed["input_ids"]), 2), dtype=np.float32) for _ in names]


@pytest.mark.parametrize("lengths", [(4, 4), (4, 2)], ids=["nothing is padding", "padded"])
def test_the_mask_of_a_batch_comes_as_the_file_takes_it(
    lengths: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session()
    monkeypatch.setattr(onnx_network, "open_session", lambda path: session)
    (tmp_path / "model.onnx").touch()
    config = DistilBertConfig(vocab_size=20, dim=8, hidden_dim=8, n_layers=1, n_heads=2)
    trained = DistilBertForSequenceClassification(config)  # its configuration says sdpa from here on
    network = onnx_network.open_onnx(tmp_path / "model.onnx", trained.config)
    mask = torch.tensor([[1] * length + [0] * (4 - length) for length in lengths])
    batch = {"input_ids": torch.ones_like(mask), "attention_mask": mask, "padded": not bool(mask.all())}
    assert network(**network_inputs(network, batch)).logits.shape == (2, 2)
    assert session.feed["attention_mask"].dtype == np.int64
    assert session.feed["attention_mask"].tolist() == mask.tolist()
