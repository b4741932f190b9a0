"""Weights that a source has and the wanted network has no place for: refused in the encoder, named elsewhere."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import (
    BertConfig,
    BertForPreTraining,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertModel,
    PreTrainedModel,
)

from distilkobert.models.checkpoints import ENTRY, describe, load_model, model_from_checkpoint
from distilkobert.tasks.kinds import Task

BERT = BertConfig(
    vocab_size=30, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12,
    max_position_embeddings=16,
)  # fmt: skip
DISTILBERT = DistilBertConfig(vocab_size=30, dim=8, n_layers=2, n_heads=2, hidden_dim=12, max_position_embeddings=16)


def saved(model: PreTrainedModel, folder: Path, **changed_settings: object) -> Path:
    """The model's folder, settings of its config.json changed."""
    model.save_pretrained(folder)
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed_settings))
    return folder


def with_weights(folder: Path, more: dict[str, Tensor]) -> Path:
    path = folder / "model.safetensors"
    save_file(load_file(path) | more, path, metadata={"format": "pt"})
    return folder


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What this project said; transformers has a table of its own, which the commands silence."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("distilkobert")]


@pytest.mark.parametrize(
    ("make", "setting"),
    [
        (lambda: BertForPreTraining(BERT), "num_hidden_layers"),
        (lambda: BertModel(BERT), "num_hidden_layers"),  # its names lack the prefix
        (lambda: DistilBertForMaskedLM(DISTILBERT), "n_layers"),
        (lambda: DistilBertModel(DISTILBERT), "n_layers"),
    ],
)
@pytest.mark.parametrize("task", ["masked_lm", "sequence_classification", "token_classification"])
def test_layers_that_the_configuration_does_not_know_are_refused(
    make: Callable[[], PreTrainedModel], setting: str, task: Task, tmp_path: Path
) -> None:
    folder = saved(make(), tmp_path, **{setting: 1})
    with pytest.raises(ValueError, match=r"16 weights of the encoder.*layer\.1\..* and 13 more.*config\.json"):
        load_model(folder, task)


def test_an_unknown_weight_of_the_encoder_is_refused(tmp_path: Path) -> None:
    folder = with_weights(saved(BertForPreTraining(BERT), tmp_path), {"bert.adapter.weight": torch.zeros(2)})
    with pytest.raises(ValueError, match=r": 1 weights of the encoder .*\(bert\.adapter\.weight\)"):
        load_model(folder, "masked_lm")


@pytest.mark.parametrize(
    ("task", "note"),
    [
        ("masked_lm", "BertForMaskedLM does not use these weights: cls (2 weights), pooler (2 weights)"),
        ("sequence_classification", "cls (7 weights)"),
        ("question_answering", "does not use these weights: cls (7 weights), pooler (2 weights)"),
    ],
)
def test_poolers_and_other_heads_are_left_out_and_named(
    task: Task, note: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = saved(BertForPreTraining(BERT), tmp_path)
    # Of older files: a table of position numbers, which is no weight.
    with_weights(folder, {"bert.embeddings.position_ids": torch.arange(16)[None]})
    with caplog.at_level(logging.WARNING, logger="distilkobert"):
        load_model(folder, task)
    (said,) = messages(caplog)
    assert note in said
    assert str(folder) in said


def test_what_fits_is_loaded_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_model(saved(BertForSequenceClassification(BERT), tmp_path), "sequence_classification")
    assert messages(caplog) == []


def checkpoint(model: PreTrainedModel, task: Task, path: Path) -> Path:
    weights = {f"network.{name}": value for name, value in model.state_dict().items()}
    torch.save({"state_dict": weights, ENTRY: describe(model, task, "network.")}, path)
    return path


def test_a_checkpoint_says_the_same_as_a_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = DistilBertForMaskedLM(DISTILBERT)
    texts = []
    for source in (saved(model, tmp_path / "folder"), checkpoint(model, "masked_lm", tmp_path / "last.ckpt")):
        caplog.clear()
        _, missing = load_model(source, "token_classification", ["O", "B-X", "I-X"])
        assert missing == ["classifier.bias", "classifier.weight"]
        texts += [said.removeprefix(str(source)) for said in messages(caplog)]
    assert len(texts) == 2
    assert texts[0] == texts[1]
    assert "vocab_layer_norm (2 weights), vocab_projector (2 weights), vocab_transform (2 weights)" in texts[0]


def test_a_checkpoint_with_layers_of_another_model_is_refused() -> None:
    model = DistilBertForMaskedLM(DISTILBERT)
    content = {
        "state_dict": {f"network.{name}": value for name, value in model.state_dict().items()},
        ENTRY: describe(model, "masked_lm", "network."),
    }
    content[ENTRY]["config"]["n_layers"] = 1
    with pytest.raises(ValueError, match=r"(?s)do not fit.*Unexpected key.*transformer\.layer\.1"):
        model_from_checkpoint(content, "x.ckpt")


@pytest.mark.parametrize("kind", ["folder", "checkpoint"])
def test_a_head_of_another_task_never_serves_as_the_new_one(kind: str, tmp_path: Path) -> None:
    """Both heads call their weights `classifier` and have two classes."""
    model = BertForSequenceClassification(BERT)
    source = (
        saved(model, tmp_path / "folder")
        if kind == "folder"
        else checkpoint(model, "sequence_classification", tmp_path / "last.ckpt")
    )
    tagger, missing = load_model(source, "token_classification", ["O", "B-X"])
    assert missing == ["classifier.bias", "classifier.weight"]
    assert tagger.config.id2label == {0: "O", 1: "B-X"}
    assert not torch.equal(tagger.classifier.weight, model.classifier.weight)
    encoder = model.bert.state_dict()
    assert all(torch.equal(value, encoder[name]) for name, value in tagger.bert.state_dict().items())


@pytest.mark.parametrize("kind", ["folder", "checkpoint"])
def test_an_encoder_of_a_tagger_answers_questions_with_two_scores(kind: str, tmp_path: Path) -> None:
    config = BertConfig(**{**BERT.to_dict(), "id2label": {0: "O", 1: "B-X", 2: "I-X"}})
    model = BertForTokenClassification(config)
    source = (
        saved(model, tmp_path / "folder")
        if kind == "folder"
        else checkpoint(model, "token_classification", tmp_path / "last.ckpt")
    )
    answering, missing = load_model(source, "question_answering")
    assert missing == ["qa_outputs.bias", "qa_outputs.weight"]
    assert answering.qa_outputs.out_features == 2


def test_named_labels_of_a_folder_are_kept_and_default_ones_replaced(tmp_path: Path) -> None:
    unnamed = saved(BertForSequenceClassification(BERT), tmp_path / "unnamed")
    assert load_model(unnamed, "sequence_classification", ["no", "yes"])[0].config.id2label == {0: "no", 1: "yes"}
    named = saved(BertForSequenceClassification(BERT), tmp_path / "named", id2label={"0": "bad", "1": "good"})
    assert load_model(named, "sequence_classification", ["no", "yes"])[0].config.id2label == {0: "bad", 1: "good"}


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("model.safetensors", None, "the weights cannot be read"),
        ("config.json", b"{", "cannot be read: .*not a valid JSON file"),
        ("config.json", b"{}", "model_type"),
    ],
)
def test_a_damaged_folder_is_no_traceback(file: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    folder = saved(BertForSequenceClassification(BERT), tmp_path)
    path = folder / file
    path.write_bytes(path.read_bytes()[:900] if content is None else content)
    with pytest.raises(ValueError, match=message):
        load_model(folder, "sequence_classification")
