"""Models as ONNX: what ONNX Runtime says of any batch and length; and what is said where it is not installed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertForTokenClassification,
    PreTrainedModel,
)

from experiments.export import onnx as export_onnx
from experiments.export.__main__ import export
from experiments.export.onnx import write_onnx
from tests.support.networks.encoders import tiny_encoder

SHAPE = {"vocab_size": 50, "max_position_embeddings": 20, "initializer_range": 0.4}
BERT = BertConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, **SHAPE)
DISTILBERT = DistilBertConfig(dim=16, n_layers=2, n_heads=2, hidden_dim=24, **SHAPE)
MODELS = {
    "classification": (lambda: BertForSequenceClassification(BERT), {"logits"}),
    "tagging": (lambda: DistilBertForTokenClassification(DISTILBERT), {"logits"}),
    "answering": (lambda: BertForQuestionAnswering(BERT), {"start_logits", "end_logits"}),
    "masked words": (lambda: DistilBertForMaskedLM(DISTILBERT), {"logits"}),
    "ModernBERT": (lambda: tiny_encoder("modernbert", vocab_size=50, positions=20), {"logits"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_any_batch_and_length_gives_what_the_model_gives(name: str, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs pip install '.[export]'")
    pytest.importorskip("onnxscript", reason="needs pip install '.[export]'")
    make, outputs = MODELS[name]
    model: PreTrainedModel = make().eval()
    write_onnx(tmp_path / "model.onnx", model)
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    names = {value.name for value in session.get_inputs()}
    assert names == {"input_ids", "attention_mask"} | (
        {"token_type_ids"} if model.config.model_type == "bert" else set()
    )
    assert {value.name for value in session.get_outputs()} == outputs
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    assert b".py" not in (tmp_path / "model.onnx").read_bytes(), "lines of source code, with this machine's paths"
    for rows, tokens in ((1, 1), (1, 20), (4, 3), (7, 13)):
        ids = torch.randint(0, 50, (rows, tokens))
        mask = (torch.arange(tokens) < torch.randint(1, tokens + 1, (rows, 1))).long()
        inputs = {"input_ids": ids, "attention_mask": mask}
        if "token_type_ids" in names:
            inputs["token_type_ids"] = torch.randint(0, 2, (rows, tokens))
        found = session.run(sorted(outputs), {key: value.numpy() for key, value in inputs.items()})
        with torch.inference_mode():
            expected = model(**inputs)
        for output, value in zip(sorted(outputs), found, strict=True):
            same = np.isclose(value, expected[output].numpy(), atol=1e-4)
            if name == "ModernBERT":  # what it says of padding depends on the kernel
                same = same[mask.bool().numpy()]
            assert same.all(), (output, rows, tokens)


@pytest.mark.slow
def test_a_file_that_says_something_else_is_not_kept(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="needs pip install '.[export]'")
    model = DistilBertForMaskedLM(DISTILBERT).eval()
    write_onnx(tmp_path / "model.onnx", model)
    assert 0 < export_onnx.compare(tmp_path / "model.onnx", model) < 1e-5
    with torch.no_grad():
        model.vocab_projector.bias[3] += 0.01
        one = export_onnx._inputs(model, 1, 1)
        part = 0.01 / float(model(**one).logits.abs().max())
    with pytest.raises(ValueError, match=rf"model\.onnx differs from the model by {part:.3g}.* in logits"):
        export_onnx.compare(tmp_path / "model.onnx", model)


def test_long_models_are_compared_at_512_tokens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[int, ...]] = []

    def differences(session: Any, model: Any, inputs: dict[str, torch.Tensor]) -> dict[str, float]:
        asked.append(tuple(inputs["input_ids"].shape))
        return {"logits": 0.0}

    monkeypatch.setattr("distilkobert.models.onnx_network.open_session", lambda path: None)
    monkeypatch.setattr(export_onnx, "_differences", differences)
    model = tiny_encoder("modernbert", vocab_size=50, positions=8192)
    for positions, longest in ((8192, 512), (20, 20)):
        model.config.max_position_embeddings = positions
        assert export_onnx.compare(tmp_path / "model.onnx", model) == 0.0
        assert asked[-3:] == [(1, 1), (3, 5), (2, longest)]


def test_a_missing_package_is_named_before_any_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def find(name: str) -> Any:
        return None if name == "onnxscript" else object()

    monkeypatch.setattr(export_onnx, "find_spec", find)
    with pytest.raises(ValueError, match=r"--onnx=true needs onnxscript; install with: pip install -c"):
        export(str(tmp_path / "no-such.ckpt"), str(tmp_path / "out"), onnx=True)
