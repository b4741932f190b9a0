"""Students of the teacher's own class: equal at full depth, chosen layers, ALBERT's groups, ModernBERT's norms."""

import logging

import pytest
import torch
from transformers import PreTrainedModel

from distilkobert.models.families import layer_modules
from distilkobert.models.heads import encode, is_tied
from distilkobert.models.students import StudentSpec, build_student
from tests.support.networks.encoders import FAMILY_NAMES, tiny_batch, tiny_encoder

IDS, MASK = tiny_batch()


def same(teacher: PreTrainedModel, *layers: int, **settings: object) -> PreTrainedModel:
    spec = StudentSpec(architecture="same", layers=layers, **settings)  # type: ignore[arg-type]
    return build_student(teacher, spec).eval()


@pytest.mark.parametrize("head", [True, False])
@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_a_student_of_all_layers_gives_the_teachers_outputs(family: str, head: bool) -> None:
    teacher = tiny_encoder(family, head=head)
    student = same(teacher, 0, 1, 2, 3)
    assert type(student) is type(teacher)
    ours, theirs = (model(input_ids=IDS, attention_mask=MASK)[0] for model in (student, teacher))
    assert torch.equal(ours, theirs)
    assert not {p.data_ptr() for p in student.parameters()} & {p.data_ptr() for p in teacher.parameters()}


@pytest.mark.parametrize("family", [name for name in FAMILY_NAMES if name not in ("albert", "modernbert")])
def test_each_layer_is_a_copy_of_the_chosen_one(family: str) -> None:
    teacher = tiny_encoder(family)
    student = same(teacher, 3, 1)
    assert student.config.num_hidden_layers == len(layer_modules(student)) == 2
    for ours, place in zip(layer_modules(student), (3, 1), strict=True):
        theirs = layer_modules(teacher)[place].state_dict()
        assert all(torch.equal(value, theirs[name]) for name, value in ours.state_dict().items())


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_an_output_matrix_is_copied_as_it_is_and_every_weight_learns(family: str, tied: bool) -> None:
    teacher = tiny_encoder(family, tie_word_embeddings=tied)
    assert is_tied(teacher) is tied
    student = same(teacher, 0, 2)
    assert is_tied(student) is tied
    ours, theirs = student.get_output_embeddings(), teacher.get_output_embeddings()
    assert torch.equal(ours.weight, theirs.weight)
    assert torch.equal(ours.bias, theirs.bias)
    student(input_ids=IDS, attention_mask=MASK).logits.square().sum().backward()
    idle = [name for name, p in student.named_parameters() if p.requires_grad and p.grad is None]
    assert idle == [], "DDP refuses weights without gradients"


def test_an_untied_output_matrix_reaches_a_distilbert() -> None:
    teacher = tiny_encoder("bert", tie_word_embeddings=False)
    student = build_student(teacher, StudentSpec(layers=(0, 1, 2, 3))).eval()
    assert not is_tied(student)
    ours, theirs = (model(input_ids=IDS, attention_mask=MASK).logits[MASK.bool()] for model in (student, teacher))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("groups", "layers", "expected"),
    [(1, (0, 2), 1), (2, (0, 1, 2, 3), 2), (2, (1, 3), 2), (2, (0, 2, 3), 3), (4, (3, 0), 2), (2, (2, 3), 1)],
)
def test_albert_shares_its_layers_and_so_do_students_where_they_can(
    groups: int, layers: tuple[int, ...], expected: int, caplog: pytest.LogCaptureFixture
) -> None:
    teacher = tiny_encoder("albert", num_hidden_groups=groups)
    with caplog.at_level(logging.WARNING, logger="distilkobert"):
        student = same(teacher, *layers)
    assert student.config.num_hidden_groups == expected
    assert ("fewer layers compute less" in caplog.text) == (expected == 1)
    encoder = teacher.albert.encoder
    hidden = encoder.embedding_hidden_mapping_in(teacher.albert.embeddings(IDS))
    attended = MASK.bool()[:, None, None, :].expand(-1, -1, 12, -1)
    for layer in layers:
        hidden = encoder.albert_layer_groups[layer * groups // 4](hidden, attended)
    torch.testing.assert_close(encode(student, IDS, MASK)[MASK.bool()], hidden[MASK.bool()], atol=1e-5, rtol=0)


def test_modernberts_kinds_of_layers_follow_the_chosen_ones() -> None:
    teacher = tiny_encoder("modernbert")
    assert teacher.config.layer_types[3] == teacher.config.layer_types[0] == "full_attention"
    student = same(teacher, 0, 2, 3)
    assert student.config.layer_types == ["full_attention", "sliding_attention", "full_attention"]
    kinds = [layer.attention_type for layer in student.model.layers]
    assert kinds == student.config.layer_types
    assert [layer.attn.sliding_window for layer in student.model.layers] == [None, 3, None]


@pytest.mark.parametrize("bias", [False, True])
def test_the_scale_of_a_norm_that_modernberts_first_layer_has_not_stays_in_the_projection(
    bias: bool, caplog: pytest.LogCaptureFixture
) -> None:
    teacher = tiny_encoder("modernbert", norm_bias=bias, attention_bias=bias)
    with caplog.at_level(logging.WARNING, logger="distilkobert"):
        student = same(teacher, 1, 0, 3)
    assert "that of layer 1, which becomes the first, leaves its scale" in caplog.text
    states = torch.nn.functional.layer_norm(torch.randn(2, 5, 16), (16,))
    ours, theirs = student.model.layers[0], teacher.model.layers[1]
    found = ours.attn.Wqkv(ours.attn_norm(states))
    torch.testing.assert_close(found, theirs.attn.Wqkv(theirs.attn_norm(states)), atol=1e-4, rtol=0)
    assert torch.equal(student.model.layers[1].attn_norm.weight, torch.ones(16))
    assert torch.equal(student.model.layers[1].attn.Wqkv.weight, teacher.model.layers[0].attn.Wqkv.weight)
    assert torch.equal(student.model.layers[2].attn_norm.weight, teacher.model.layers[3].attn_norm.weight)


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_dropout_and_a_random_start(family: str) -> None:
    teacher = tiny_encoder(family)
    student = same(teacher, 1, 3, init="random", dropout=0.3)
    rates = {module.p for module in student.base_model.modules() if isinstance(module, torch.nn.Dropout)}
    assert rates == {0.3}
    difference = student.get_input_embeddings().weight - teacher.get_input_embeddings().weight
    assert difference.abs().mean() > 1e-3


def test_positions_are_frozen_where_there_are_any() -> None:
    student = same(tiny_encoder("electra"), 0, 1, freeze_positions=True)
    frozen = [name for name, parameter in student.named_parameters() if not parameter.requires_grad]
    assert frozen == ["electra.embeddings.position_embeddings.weight"]
    for family in ("modernbert", "deberta-v2"):
        with pytest.raises(ValueError, match=f"freeze_positions=true: {family} has no table of positions"):
            same(tiny_encoder(family), 0, 1, freeze_positions=True)
