"""A second stage: students that continue from a student, and students of students."""

from pathlib import Path

import pytest
import torch
from transformers import DistilBertForMaskedLM, DistilBertModel

from distilkobert.models.checkpoints import ENTRY, describe
from distilkobert.models.heads import encode, is_tied
from distilkobert.models.students import StudentSpec, build_student
from distilkobert.models.teachers import load_teacher
from tests.support.networks.encoders import tiny_batch, tiny_encoder

IDS, MASK = tiny_batch()


def assert_equal_weights(ours: torch.nn.Module, theirs: torch.nn.Module) -> None:
    found, expected = ours.state_dict(), theirs.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize("form", ["folder", "checkpoint"])
def test_a_student_continues_with_its_own_weights_and_head(form: str, tmp_path: Path) -> None:
    first = tiny_encoder("distilbert", layers=2, seed=5)
    source = tmp_path / ("student" if form == "folder" else "last.ckpt")
    if form == "folder":
        first.save_pretrained(source)
    else:
        weights = {f"network.{name}": value for name, value in first.state_dict().items()}
        torch.save({"state_dict": weights, ENTRY: describe(first, "masked_lm", "network.")}, source)
    student = build_student(tiny_encoder("bert"), StudentSpec(layers=(1, 3), init_from=str(source), dropout=0.25))
    assert_equal_weights(student, first)
    assert student.training
    assert student.config.dropout == 0.25
    assert student.distilbert.embeddings.dropout.p == 0.25


def test_an_output_matrix_that_is_not_the_embedding_is_kept(tmp_path: Path) -> None:
    first = tiny_encoder("distilbert", layers=2, tie_word_embeddings=False)
    first.save_pretrained(tmp_path)
    student = build_student(tiny_encoder("bert"), StudentSpec(layers=(1, 3), init_from=str(tmp_path)))
    assert not is_tied(student)
    assert_equal_weights(student, first)


def test_a_student_without_head_keeps_none_or_gets_a_tied_one(tmp_path: Path) -> None:
    first = tiny_encoder("distilbert", head=False, layers=2)
    first.save_pretrained(tmp_path)
    spec = StudentSpec(layers=(1, 3), init_from=str(tmp_path))
    bare = build_student(tiny_encoder("bert", head=False), spec)
    assert isinstance(bare, DistilBertModel)
    assert_equal_weights(bare, first)
    headed = build_student(tiny_encoder("bert"), spec)
    assert isinstance(headed, DistilBertForMaskedLM)
    assert is_tied(headed)
    assert_equal_weights(headed.base_model, first)


def test_positions_of_a_continued_student_are_frozen_where_asked(tmp_path: Path) -> None:
    tiny_encoder("distilbert", layers=2).save_pretrained(tmp_path)
    for frozen in (True, False):
        spec = StudentSpec(layers=(1, 3), init_from=str(tmp_path), freeze_positions=frozen)
        student = build_student(tiny_encoder("bert"), spec)
        fixed = [name for name, parameter in student.named_parameters() if not parameter.requires_grad]
        assert fixed == ["distilbert.embeddings.position_embeddings.weight"] * frozen


def test_a_chain_of_teachers_by_way_of_a_distilbert(tmp_path: Path) -> None:
    assistant = build_student(tiny_encoder("bert", layers=8), StudentSpec(layers=(0, 2, 4, 6)))
    assistant.save_pretrained(tmp_path)
    teacher = load_teacher(tmp_path)
    student = build_student(teacher, StudentSpec(layers=(0, 2)))
    assert isinstance(student, DistilBertForMaskedLM)
    theirs, ours = teacher.distilbert.transformer.layer, student.distilbert.transformer.layer
    for position, layer in enumerate((0, 2)):
        assert_equal_weights(ours[position], theirs[layer])
    whole = build_student(teacher, StudentSpec(layers=(0, 1, 2, 3))).eval()
    assert torch.equal(encode(whole, IDS, MASK), encode(teacher, IDS, MASK))


def test_students_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    teacher = tiny_encoder("bert")
    tiny_encoder("distilbert", layers=2).save_pretrained(tmp_path / "student")
    with pytest.raises(ValueError, match=r"has 2 layers, student.layers=\[0, 1, 2\] names 3"):
        build_student(teacher, StudentSpec(layers=(0, 1, 2), init_from=str(tmp_path / "student")))
    tiny_encoder("distilbert", layers=2, vocab_size=61).save_pretrained(tmp_path / "other")
    with pytest.raises(ValueError, match="has a vocabulary of 61 pieces, the teacher 60"):
        build_student(teacher, StudentSpec(layers=(0, 1), init_from=str(tmp_path / "other")))
    with pytest.raises(FileNotFoundError, match="no such model folder"):
        build_student(teacher, StudentSpec(layers=(0, 1), init_from=str(tmp_path / "nothing")))
