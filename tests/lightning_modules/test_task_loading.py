"""What the task modules load, what they say is new, and what they refuse."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import (
    BertForSequenceClassification,
    BertModel,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    RobertaConfig,
    RobertaModel,
)

from distilkobert.models.checks import longest_input
from distilkobert.tasks.input_settings import InputSettings
from lightning_modules import QuestionAnswering, SequenceClassification
from lightning_modules.finetuning import FINE_TUNING, FineTuning
from tests.support.networks.tiny import tiny_teacher


def configured(module: FineTuning, stage: str = "fit") -> FineTuning:
    """Let the module load its network as the trainer would."""
    module._trainer = SimpleNamespace(state=SimpleNamespace(fn=SimpleNamespace(value=stage)))  # type: ignore[assignment]
    module.configure_model()
    return module


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teacher")
    tiny_teacher(layers=1).save_pretrained(folder)
    return folder


def test_an_encoder_gets_a_new_head_and_keeps_its_weights(teacher: Path) -> None:
    module = SequenceClassification(
        str(teacher), labels=["no", "yes"], vocab_size=50, pad_token_id=1, input_settings=InputSettings(32)
    )
    network = configured(module).network
    assert isinstance(network, BertForSequenceClassification)
    assert module.state_dict().keys() == {f"network.{name}" for name in network.state_dict()}
    assert network.training
    assert network.config.id2label == {0: "no", 1: "yes"}
    original = tiny_teacher(layers=1)
    for name, weight in original.bert.state_dict().items():
        assert torch.equal(network.bert.state_dict()[name], weight), name


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vocab_size": 51}, "its vocabulary has 50 pieces, the data's tokenizer 51"),
        ({"pad_token_id": 0}, r"its \[PAD\] is id 1, the data's tokenizer has 0"),
        ({"input_settings": InputSettings(33)}, "accepts at most 32 tokens, but inputs have up to 33"),
    ],
)
def test_a_model_that_does_not_fit_the_data_is_refused(settings: dict[str, Any], message: str, teacher: Path) -> None:
    with pytest.raises(ValueError, match=message):
        configured(SequenceClassification(str(teacher), labels=["no", "yes"], **settings))


@pytest.mark.parametrize("stage", ["test", "predict"])
def test_an_untrained_head_is_not_tested(stage: str, teacher: Path) -> None:
    with pytest.raises(ValueError, match=f"no trained head.*nothing to {stage}"):
        configured(SequenceClassification(str(teacher), labels=["no", "yes"]), stage)


def half_saved(folder: Path, left_out: str) -> Path:
    """A DistilBERT classifier without the weights whose names hold `left_out`."""
    config = DistilBertConfig(vocab_size=50, dim=8, hidden_dim=8, n_layers=1, n_heads=1, max_position_embeddings=16)
    model = DistilBertForSequenceClassification(config)
    kept = {name: weight for name, weight in model.state_dict().items() if left_out not in name}
    model.save_pretrained(folder, state_dict=kept)
    return folder


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ("word_embeddings", "the encoder is incomplete; missing: distilbert.embeddings.word_embeddings.weight"),
        ("pre_classifier", "the head is incomplete; missing: pre_classifier.bias, pre_classifier.weight"),
    ],
)
def test_missing_weights_must_be_exactly_the_head(left_out: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        configured(SequenceClassification(str(half_saved(tmp_path, left_out)), labels=["no", "yes"]))


@pytest.mark.parametrize("lost", ["dense.weight", "dense.bias", "dense"])
def test_a_pooler_is_new_as_a_whole_or_not_at_all(lost: str, tmp_path: Path) -> None:
    encoder = BertModel(tiny_teacher(layers=1).config)
    kept = {name: weight for name, weight in encoder.state_dict().items() if f"pooler.{lost}" not in name}
    encoder.save_pretrained(tmp_path, state_dict=kept)
    module = SequenceClassification(str(tmp_path), labels=["no", "yes"])
    if lost == "dense":
        assert isinstance(configured(module).network, BertForSequenceClassification)
        return
    with pytest.raises(ValueError, match=rf"the encoder is incomplete; missing: bert\.pooler\.{lost}\. Only"):
        configured(module)


def test_a_whole_model_is_tested_as_it_is_and_labels_must_agree(tmp_path: Path) -> None:
    half_saved(tmp_path, "nothing")
    configured(SequenceClassification(str(tmp_path), labels=["no", "yes"]), "test")
    with pytest.raises(ValueError, match="its head has the labels LABEL_0, LABEL_1, the data has no, yes, maybe"):
        configured(SequenceClassification(str(tmp_path), labels=["no", "yes", "maybe"]), "test")


def test_a_missing_model_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="nowhere/at-all"):
        configured(QuestionAnswering("nowhere/at-all"))


def test_the_default_optimizer_is_the_originals() -> None:
    assert (FINE_TUNING.lr, FINE_TUNING.betas, FINE_TUNING.eps) == (5e-5, (0.9, 0.999), 1e-8)
    assert (FINE_TUNING.weight_decay, FINE_TUNING.warmup, FINE_TUNING.schedule) == (0.0, 0.0, "linear")


def test_roberta_counts_its_positions_from_behind_the_padding() -> None:
    config = RobertaConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8,
        max_position_embeddings=34, pad_token_id=1,
    )  # fmt: skip
    model = RobertaModel(config).eval()
    assert longest_input(config) == 32
    model(input_ids=torch.full((1, 32), 5))
    with pytest.raises((IndexError, RuntimeError)):
        model(input_ids=torch.full((1, 33), 5))
    assert longest_input(tiny_teacher(layers=1).config) == 32
