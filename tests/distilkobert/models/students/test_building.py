"""Building a student: copied weights, the embedding fold, parameter counts of the published models, refusals."""

from typing import Any

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, BertModel, DistilBertForMaskedLM, DistilBertModel

from distilkobert.models.checks import longest_input
from distilkobert.models.heads import encode
from distilkobert.models.students import StudentSpec, build_student
from distilkobert.models.teachers import EncoderSpec, build_encoder
from tests.support.networks.encoders import tiny_batch, tiny_encoder
from tests.support.networks.tiny import tiny_teacher

IDS = torch.tensor([[2, 7, 8, 9, 3, 1], [2, 10, 11, 3, 1, 1]])
MASK = (IDS != 1).long()


@pytest.mark.parametrize("layers", [(0, 4, 8), (11,), (8, 4, 0), (0, 1, 2, 3, 4, 5)])
def test_each_student_layer_computes_what_its_teacher_layer_computes(layers: tuple[int, ...]) -> None:
    teacher = tiny_teacher()
    student = build_student(teacher, StudentSpec(layers=layers)).eval()
    assert len(student.distilbert.transformer.layer) == len(layers)
    hidden = torch.randn(2, 6, 16)
    for position, layer in enumerate(layers):
        ours = student.distilbert.transformer.layer[position](hidden)
        theirs = teacher.bert.encoder.layer[layer](hidden)
        ours, theirs = (x[0] if isinstance(x, tuple) else x for x in (ours, theirs))
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_a_student_of_all_layers_is_the_teacher() -> None:
    teacher = tiny_teacher(layers=4)
    student = build_student(teacher, StudentSpec(layers=(0, 1, 2, 3))).eval()
    with torch.no_grad():
        ours = student(input_ids=IDS, attention_mask=MASK).logits
        theirs = teacher(input_ids=IDS, attention_mask=MASK).logits
    torch.testing.assert_close(ours[MASK.bool()], theirs[MASK.bool()], atol=1e-5, rtol=0)


def test_folding_token_types_makes_the_embeddings_equal() -> None:
    teacher = tiny_teacher()
    expected = teacher.bert.embeddings(IDS)
    folded = build_student(teacher, StudentSpec(fold_token_types=True)).eval().distilbert.embeddings(IDS)
    plain = build_student(teacher, StudentSpec(fold_token_types=False)).eval().distilbert.embeddings(IDS)
    torch.testing.assert_close(folded, expected, atol=1e-6, rtol=0)
    assert (plain - expected).abs().max() > 1e-3


def test_unfolded_embeddings_and_head_are_plain_copies() -> None:
    teacher = tiny_teacher()
    student = build_student(teacher, StudentSpec(fold_token_types=False))
    ours, theirs = student.state_dict(), teacher.state_dict()
    for ours_name, theirs_name in {
        "distilbert.embeddings.word_embeddings.weight": "bert.embeddings.word_embeddings.weight",
        "distilbert.embeddings.position_embeddings.weight": "bert.embeddings.position_embeddings.weight",
        "distilbert.embeddings.LayerNorm.weight": "bert.embeddings.LayerNorm.weight",
        "vocab_transform.weight": "cls.predictions.transform.dense.weight",
        "vocab_layer_norm.bias": "cls.predictions.transform.LayerNorm.bias",
        "vocab_projector.bias": "cls.predictions.bias",
        "vocab_projector.weight": "cls.predictions.decoder.weight",
    }.items():
        assert torch.equal(ours[ours_name], theirs[theirs_name]), ours_name


@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize(
    ("architecture", "dense"), [("distilbert", "vocab_transform"), ("same", "cls.predictions.transform.dense")]
)
def test_head_stays_random_when_not_copied_but_its_embedding_is_tied(
    architecture: Any, dense: str, copied: bool
) -> None:
    teacher = tiny_teacher()
    student = build_student(teacher, StudentSpec(architecture, copy_head=copied))
    found, its = student.get_parameter(f"{dense}.weight"), teacher.cls.predictions.transform.dense.weight
    assert torch.equal(found, its) is copied
    assert student.get_output_embeddings().weight is student.get_input_embeddings().weight
    assert torch.equal(student.get_input_embeddings().weight, teacher.get_input_embeddings().weight)


def test_random_start_shares_nothing_with_the_teacher() -> None:
    teacher = tiny_teacher()
    student = build_student(teacher, StudentSpec(init="random"))
    assert len(student.distilbert.transformer.layer) == 3
    difference = student.distilbert.embeddings.word_embeddings.weight - teacher.bert.embeddings.word_embeddings.weight
    assert difference.abs().mean() > 1e-3


def test_the_student_does_not_share_memory_with_the_teacher() -> None:
    teacher = tiny_teacher()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    student = build_student(teacher, StudentSpec())
    with torch.no_grad():
        for parameter in student.parameters():
            parameter.add_(1.0)
    assert all(torch.equal(before[name], value) for name, value in teacher.state_dict().items())


def test_frozen_positions_do_not_learn_and_the_rest_does() -> None:
    student = build_student(tiny_teacher(), StudentSpec(freeze_positions=True))
    frozen = [name for name, parameter in student.named_parameters() if not parameter.requires_grad]
    assert frozen == ["distilbert.embeddings.position_embeddings.weight"]


def test_pad_id_and_training_mode() -> None:
    student = build_student(tiny_teacher(pad_token_id=1))
    assert student.config.pad_token_id == 1
    assert student.distilbert.embeddings.word_embeddings.padding_idx == 1
    assert student.training


def test_parameter_counts_of_the_published_models() -> None:
    """KoBERT 92,186,880 with pooler; DistilKoBERT 28,404,034 with head and 27,803,904 without (351 and 108 MB)."""
    with torch.device("meta"):
        teacher = build_encoder(EncoderSpec(), vocab_size=8002, pad_token_id=1)
        assert BertModel(teacher.config).num_parameters() == 92_186_880
        student = DistilBertForMaskedLM(build_student(teacher, StudentSpec(init="random")).config)
    assert student.num_parameters() == 28_404_034
    assert student.distilbert.num_parameters() == 27_803_904


@pytest.mark.parametrize(
    ("layers", "message"),
    [((), "empty"), ((0, 4, 4), "named twice"), ((-1, 0), "0-based"), ((0, 4, 12), "layers 0 to 11, not 12")],
)
def test_bad_layers_are_refused(layers: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_student(tiny_teacher(), StudentSpec(layers=layers))


@pytest.mark.parametrize("family", ["roberta", "xlm-roberta", "camembert", "distilbert"])
def test_a_distilbert_of_all_layers_is_its_teacher_for_other_families_too(family: str) -> None:
    teacher = tiny_encoder(family)
    student = build_student(teacher, StudentSpec(layers=(0, 1, 2, 3))).eval()
    assert isinstance(student, DistilBertForMaskedLM)
    ids, mask = tiny_batch()
    ours = student(input_ids=ids, attention_mask=mask).logits[mask.bool()]
    theirs = teacher(input_ids=ids, attention_mask=mask).logits[mask.bool()]
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    longest = torch.full((1, longest_input(teacher.config)), 7)
    ours, theirs = student(input_ids=longest).logits, teacher(input_ids=longest).logits
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", ["electra", "albert", "deberta-v2", "modernbert"])
def test_families_that_distilbert_cannot_hold_are_refused_with_a_remedy(family: str) -> None:
    with pytest.raises(ValueError, match=rf"'{family}', only from bert, roberta.*--model\.student\.architecture=same"):
        build_student(tiny_encoder(family), StudentSpec(layers=(0,)))


def test_a_teacher_without_head_gives_an_encoder_or_a_fresh_tied_head() -> None:
    teacher = tiny_encoder("bert", head=False)
    bare = build_student(teacher, StudentSpec(layers=(0, 1, 2, 3))).eval()
    assert isinstance(bare, DistilBertModel)
    ids, mask = tiny_batch()
    found, expected = encode(bare, ids, mask)[mask.bool()], encode(teacher, ids, mask)[mask.bool()]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    headed = build_student(teacher, StudentSpec(layers=(0, 1, 2, 3)), head=True).eval()
    assert torch.equal(encode(headed, ids, mask), encode(bare, ids, mask))
    assert headed.vocab_projector.weight is headed.distilbert.embeddings.word_embeddings.weight


def test_another_layer_norm_epsilon_is_said_aloud() -> None:
    config = BertConfig(vocab_size=20, hidden_size=8, num_attention_heads=1, intermediate_size=8, layer_norm_eps=1e-5)
    with pytest.warns(UserWarning, match="layer_norm_eps is 1e-05"):
        build_student(BertForMaskedLM(config), StudentSpec())
