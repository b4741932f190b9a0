"""Vocabulary and [PAD] of a model against the tokenizer's: teachers and fine-tuning share one check."""

import json
import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
from torch import nn
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForMaskedLM,
    PreTrainedModel,
    RobertaConfig,
    RobertaForMaskedLM,
)

from distilkobert.models.checkpoints import load_model
from distilkobert.models.checks import DataFacts, check_facts
from distilkobert.models.teachers import load_teacher
from distilkobert.models.vocabulary.fit import fit_vocabulary, holds_pieces
from distilkobert.objectives import SoftTargets
from distilkobert.tasks.task_facts import TaskFacts
from lightning_modules import TaskDistillation

BERT = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}


def save_bert(folder: Path, vocab_size: int = 64, pad_token_id: int = 3) -> Path:
    BertForMaskedLM(BertConfig(vocab_size=vocab_size, pad_token_id=pad_token_id, **BERT)).save_pretrained(folder)
    return folder


def forget_pad(folder: Path, value: object = "remove") -> Path:
    """Take `pad_token_id` out of config.json, or put another value there."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config.pop("pad_token_id", None)
    path.write_text(json.dumps(config if value == "remove" else config | {"pad_token_id": value}))
    return folder


def load(folder: Path) -> PreTrainedModel:
    return load_model(folder, "masked_lm")[0]


def test_a_padded_vocabulary_is_accepted_and_said_in_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = save_bert(tmp_path / "m")
    caplog.set_level(logging.WARNING)
    teacher = load_teacher(folder, vocab_size=61, pad_token_id=3)
    assert teacher.config.vocab_size == 64
    (record,) = [record for record in caplog.records if record.name.startswith("distilkobert")]
    assert record.getMessage().endswith("vocabulary is padded to 64 rows, 3 more than the tokenizer has pieces")


@pytest.mark.parametrize(("rows", "pieces", "fits"), [
    (64, 64, True), (64, 65, False), (128_100, 128_001, True), (32_102, 31_102, True), (32_000, 8_002, False),
])  # fmt: skip
def test_how_much_padding_is_believed(rows: int, pieces: int, fits: bool) -> None:
    assert holds_pieces(rows, pieces) == fits


def test_other_vocabularies_are_refused(tmp_path: Path) -> None:
    model = load(save_bert(tmp_path / "m"))
    with pytest.raises(ValueError, match="here: its vocabulary has 64 pieces, the data's tokenizer 65"):
        fit_vocabulary(model, 65, None, "here")
    model.config.vocab_size = 64 + 1025
    with pytest.raises(ValueError, match="1089 pieces, the data's tokenizer 64; set "):
        fit_vocabulary(model, 64, None, "here")


@pytest.mark.parametrize("value", ["remove", None])
def test_a_missing_pad_is_the_tokenizers(tmp_path: Path, value: object, caplog: pytest.LogCaptureFixture) -> None:
    config = DistilBertConfig(vocab_size=20, dim=8, hidden_dim=8, n_heads=1, n_layers=1, pad_token_id=1)
    DistilBertForMaskedLM(config).save_pretrained(tmp_path / "m")
    folder = forget_pad(tmp_path / "m", value)
    model = load(folder)
    assert model.config.pad_token_id != 1
    caplog.set_level(logging.WARNING)
    fit_vocabulary(model, 20, 1, str(folder))
    embedding = model.get_input_embeddings()
    assert isinstance(embedding, nn.Embedding)
    assert (model.config.pad_token_id, embedding.padding_idx) == (1, 1)
    (line,) = caplog.text.splitlines()
    assert line.endswith("config.json has no pad_token_id; the tokenizer's, 1, is used")


def test_a_pad_that_is_named_and_another_one_is_refused(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "m")
    with pytest.raises(ValueError, match=r"its \[PAD\] is id 3, the data's tokenizer has 1; .*correct pad_token_id"):
        fit_vocabulary(load(folder), 64, 1, str(folder))


def test_positions_counted_from_pad_keep_theirs(tmp_path: Path) -> None:
    """RoBERTa places the first token behind [PAD]'s id, so another one would move every position."""
    config = RobertaConfig(vocab_size=20, max_position_embeddings=12, **BERT)
    RobertaForMaskedLM(config).save_pretrained(tmp_path / "m")
    folder = forget_pad(tmp_path / "m")
    model = load(folder)
    fit_vocabulary(model, 20, 1, str(folder))
    with pytest.raises(ValueError, match=r"its \[PAD\] is id 1, the data's tokenizer has 0"):
        fit_vocabulary(model, 20, 0, str(folder))


def classifier(folder: Path) -> Path:
    """A BERT for two classes whose config.json has no `pad_token_id`."""
    classes = {"id2label": {0: "no", 1: "yes"}, "label2id": {"no": 0, "yes": 1}}
    BertForSequenceClassification(BertConfig(vocab_size=20, **BERT, **classes)).save_pretrained(folder)
    return forget_pad(folder)


def test_the_name_of_a_model_in_messages_is_not_where_its_config_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = str(classifier(tmp_path / "m"))
    facts, labels = DataFacts(20, 1, None), ["no", "yes"]
    for name in (None, f"teacher {source}"):
        caplog.clear()
        check_facts(load_model(source, "sequence_classification")[0], facts, labels, source, name=name)
        assert f"{name or source}: config.json has no pad_token_id; the tokenizer's, 1, is used" in caplog.text
    model = load_model(source, "sequence_classification")[0]
    with pytest.raises(ValueError, match=r"^the teacher: its vocabulary has 20 pieces, the data's tokenizer 30"):
        check_facts(model, DataFacts(30, 1, None), labels, source, name="the teacher")


def test_teacher_and_student_of_a_task_without_pad_are_accepted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = str(classifier(tmp_path / "m"))
    facts = TaskFacts("sequence_classification", ("no", "yes"))
    module = TaskDistillation(source, {"soft": SoftTargets()}, facts, source, vocab_size=20, pad_token_id=1)
    state, strategy = SimpleNamespace(fn=SimpleNamespace(value="fit")), SimpleNamespace(root_device="cpu")
    module._trainer = SimpleNamespace(state=state, strategy=strategy)  # type: ignore[assignment]
    module.configure_model()
    for name in ("teacher", "student"):
        assert f"{name} {source}: config.json has no pad_token_id; the tokenizer's, 1, is used" in caplog.text
    assert (module.teacher_run.model.config.pad_token_id, module.network.config.pad_token_id) == (1, 1)
