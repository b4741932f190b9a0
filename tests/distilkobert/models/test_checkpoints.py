"""From Lightning checkpoints to networks, and what is refused on the way."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertForSequenceClassification

from distilkobert.io.checkpoint_files import write_checkpoint
from distilkobert.models.checkpoints import ENTRY, describe, load_model, model_from_checkpoint, read_checkpoint
from distilkobert.models.students import build_student
from tests.support.networks.tiny import tiny_teacher

TEXTS = (b"not a checkpoint", b"hello\n", b"q hello", b"K }", b"U", b"rB|", b"X\xff", b"U\x01\xff", b"")
"""Bytes that torch's unpickler refuses with one exception or another."""


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A checkpoint of a student, as a module of ours would write it."""
    path = tmp_path / "last.ckpt"
    write_checkpoint(path, content())
    return path


def content() -> dict[str, Any]:
    student = build_student(tiny_teacher())
    weights = {f"network.{name}": value for name, value in student.state_dict().items()}
    return {
        "state_dict": {**weights, "means.metrics.loss.value": torch.zeros(())},
        ENTRY: describe(student, "masked_lm", "network."),
    }


def test_the_network_comes_back_as_it_was(checkpoint: Path) -> None:
    model = model_from_checkpoint(read_checkpoint(checkpoint), checkpoint)
    expected = build_student(tiny_teacher())
    assert type(model) is type(expected)
    assert model.config.pad_token_id == 1
    assert not model.training
    for name, value in expected.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


def test_load_model_gives_the_same_from_checkpoint_and_folder(checkpoint: Path, tmp_path: Path) -> None:
    from_checkpoint, missing = load_model(checkpoint, "masked_lm")
    assert missing == []
    from_checkpoint.save_pretrained(tmp_path / "folder")
    from_folder, missing = load_model(tmp_path / "folder", "masked_lm")
    assert missing == []
    assert all(
        torch.equal(value, from_folder.state_dict()[name]) for name, value in from_checkpoint.state_dict().items()
    )


def test_another_head_keeps_the_encoder_and_names_what_is_new(checkpoint: Path) -> None:
    model, missing = load_model(checkpoint, "sequence_classification")
    assert sorted(missing) == ["classifier.bias", "classifier.weight", "pre_classifier.bias", "pre_classifier.weight"]
    expected = build_student(tiny_teacher()).base_model.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in model.base_model.state_dict().items())


def test_another_head_from_a_folder_names_what_is_new(tmp_path: Path) -> None:
    tiny_teacher().save_pretrained(tmp_path)
    model, missing = load_model(tmp_path, "sequence_classification")
    assert isinstance(model, BertForSequenceClassification)
    assert missing == ["bert.pooler.dense.bias", "bert.pooler.dense.weight", "classifier.bias", "classifier.weight"]


def test_a_missing_checkpoint_is_named_with_what_its_run_has(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "checkpoints").mkdir(parents=True)
    last = folder / "checkpoints" / "last.ckpt"
    (folder / "config.yaml").touch()
    with pytest.raises(FileNotFoundError, match="has none: remove the folder and start it again"):
        read_checkpoint(last)
    (folder / "checkpoints" / "best.ckpt").touch()
    for asked in (last, folder):
        with pytest.raises(FileNotFoundError, match=r"no such checkpoint file; there are .*best\.ckpt$"):
            read_checkpoint(asked)


def test_checkpoints_that_are_none_are_refused(tmp_path: Path, checkpoint: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such checkpoint file"):
        read_checkpoint(tmp_path / "nothing.ckpt")
    short = tmp_path / "short.ckpt"
    short.write_bytes(checkpoint.read_bytes()[: checkpoint.stat().st_size // 2])
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        read_checkpoint(short)
    text = tmp_path / "text.ckpt"
    for content in TEXTS:
        text.write_bytes(content)
        with pytest.raises(ValueError, match="not a readable checkpoint"):
            read_checkpoint(text)
    foreign = tmp_path / "foreign.ckpt"
    torch.save({"state_dict": {}}, foreign)
    with (
        pytest.warns(UserWarning, match="without a checksum"),
        pytest.raises(ValueError, match="not one of this project"),
    ):
        read_checkpoint(foreign)


@pytest.mark.parametrize("content", TEXTS)
def test_weights_that_are_a_text_are_called_damaged(tmp_path: Path, content: bytes) -> None:
    tiny_teacher().config.save_pretrained(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(content)
    with pytest.raises(ValueError, match=f"^{re.escape(str(tmp_path))}: .*damaged, or were not written by torch$"):
        load_model(tmp_path, "masked_lm")


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, tuple[str, str]]:
            return Path.write_text, (str(tmp_path / "ran"), "x")

    torch.save({ENTRY: Evil()}, tmp_path / "evil.ckpt")
    with pytest.raises(ValueError, match=r"contains pickled Python objects .*only tensors and plain values are"):
        read_checkpoint(tmp_path / "evil.ckpt")
    assert not (tmp_path / "ran").exists()


def test_weights_that_do_not_fit_their_configuration_are_refused(tmp_path: Path) -> None:
    broken = content()
    broken[ENTRY]["config"]["dim"] = 8
    with pytest.raises(ValueError, match="do not fit the configuration"):
        model_from_checkpoint(broken, tmp_path / "x.ckpt")
    broken = content()
    broken[ENTRY]["task"] = "poetry"
    with pytest.raises(ValueError, match="unknown head 'poetry'"):
        model_from_checkpoint(broken, tmp_path / "x.ckpt")
