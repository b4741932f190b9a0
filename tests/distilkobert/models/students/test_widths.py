"""Narrower students: which units are kept, by hand and by what the model computes; and what is refused."""

from typing import Any

import pytest
import torch
from transformers import PreTrainedModel

from distilkobert.models.families import FAMILIES, layer_modules
from distilkobert.models.students import StudentSpec, build_student
from tests.support.networks.encoders import FAMILY_NAMES, tiny_batch, tiny_encoder

IDS, MASK = tiny_batch()
FFN_OUT = {
    "albert": "albert_layers.0.ffn_output", "modernbert": "mlp.Wo", "distilbert": "ffn.lin2",
}  # fmt: skip


def narrow(teacher: PreTrainedModel, **settings: Any) -> PreTrainedModel:
    return build_student(teacher, StudentSpec(architecture="same", layers=(0, 1, 2, 3), **settings)).eval()


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_units_of_a_feed_forward_block_that_do_nothing_can_be_cut_off(family: str) -> None:
    teacher = tiny_encoder(family)
    with torch.no_grad():
        for layer in layer_modules(teacher):
            layer.get_submodule(FFN_OUT.get(family, "output.dense")).weight[:, 10:] = 0
    student = narrow(teacher, intermediate_size=10)
    assert getattr(student.config, FAMILIES[family].intermediate_size) == 10
    ours, theirs = (model(input_ids=IDS, attention_mask=MASK).logits for model in (student, teacher))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("fill", ["slice", "random"])
@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_every_family_runs_at_half_the_width(family: str, fill: str) -> None:
    teacher = tiny_encoder(family)
    student = narrow(teacher, hidden_size=8, intermediate_size=12, width_init=fill)
    assert (student.config.hidden_size, student.config.num_attention_heads) == (8, 1)
    assert student(input_ids=IDS, attention_mask=MASK).logits.shape == (3, 12, 60)
    ours, theirs = student.get_input_embeddings().weight, teacher.get_input_embeddings().weight
    assert torch.equal(ours, theirs[:, : ours.shape[1]]) == (fill == "slice" or family in ("electra", "albert"))
    student(input_ids=IDS, attention_mask=MASK).logits.sum().backward()


def test_whole_heads_are_kept_where_their_width_stays() -> None:
    teacher = tiny_encoder("bert")
    ours, theirs = (layer_modules(model)[2].attention for model in (narrow(teacher, hidden_size=8), teacher))
    assert torch.equal(ours.self.query.weight, theirs.self.query.weight[:8, :8])
    assert torch.equal(ours.self.key.bias, theirs.self.key.bias[:8])
    assert torch.equal(ours.output.dense.weight, theirs.output.dense.weight[:8, :8])


@pytest.mark.parametrize("family", ["bert", "deberta-v2", "distilbert", "albert"])
def test_the_first_units_of_every_head_are_kept_where_heads_become_narrower(family: str) -> None:
    teacher, own = tiny_encoder(family), FAMILIES[family]
    student = narrow(teacher, hidden_size=8, heads=2)
    ours, theirs = layer_modules(student)[1], layer_modules(teacher)[1]
    units = [0, 1, 2, 3, 8, 9, 10, 11]  # of heads of width 8, now 4
    for name in own.projections:
        assert torch.equal(ours.get_submodule(name).weight, theirs.get_submodule(name).weight[units][:, :8])
        assert torch.equal(ours.get_submodule(name).bias, theirs.get_submodule(name).bias[units])
    output = own.attention_output
    assert torch.equal(ours.get_submodule(output).weight, theirs.get_submodule(output).weight[:8][:, units])


def test_stacked_matrices_are_cut_one_by_one() -> None:
    teacher = tiny_encoder("modernbert")
    student = narrow(teacher, hidden_size=8, intermediate_size=10)
    ours, theirs = layer_modules(student)[1], layer_modules(teacher)[1]
    for mine, whole in zip(ours.attn.Wqkv.weight.chunk(3), theirs.attn.Wqkv.weight.chunk(3), strict=True):
        assert torch.equal(mine, whole[:8, :8])
    for mine, whole in zip(ours.mlp.Wi.weight.chunk(2), theirs.mlp.Wi.weight.chunk(2), strict=True):
        assert torch.equal(mine, whole[:10, :8])


def test_a_narrow_distilbert_is_cut_out_of_the_whole_one() -> None:
    teacher = tiny_encoder("roberta")
    whole = build_student(teacher, StudentSpec(layers=(0, 2))).state_dict()
    student = build_student(teacher, StudentSpec(layers=(0, 2), hidden_size=8))
    assert student.config.dim == 8
    for name, value in student.state_dict().items():
        assert torch.equal(value, whole[name][tuple(slice(size) for size in value.shape)]), name


def test_only_what_changes_starts_random_where_that_is_asked_for() -> None:
    teacher = tiny_encoder("bert")
    student = narrow(teacher, intermediate_size=12, width_init="random")
    ours, theirs = (layer_modules(model)[0] for model in (student, teacher))
    assert torch.equal(ours.attention.self.query.weight, theirs.attention.self.query.weight)
    assert not torch.equal(ours.intermediate.dense.weight, theirs.intermediate.dense.weight[:12])
    wide = narrow(teacher, hidden_size=32, heads=4, width_init="random")
    assert wide.config.hidden_size == 32


@pytest.mark.parametrize(
    ("family", "settings", "message"),
    [
        ("bert", {"hidden_size": 32}, r"hidden_size=32: more than the teacher's 16.*width_init=random"),
        ("bert", {"intermediate_size": 25}, "intermediate_size=25: more than the teacher's 24"),
        ("bert", {"hidden_size": 12, "heads": 4}, "heads=4: more than the teacher's 2"),
        ("bert", {"heads": 1}, "heads=1: .*must be no wider than those, 8, but are 16 wide"),
        ("bert", {"hidden_size": 12}, "hidden_size=12: not a multiple of the teacher's head width, 8"),
        ("bert", {"heads": 3}, "heads=3: must divide the width of hidden states, 16"),
        ("modernbert", {"hidden_size": 8, "heads": 2}, "must be as wide as those, 8, but are 4 wide"),
    ],
)
def test_widths_that_do_not_fit_are_refused(family: str, settings: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        narrow(tiny_encoder(family), **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden_size": 0}, "student.hidden_size=0: must be 1 or more"),
        ({"intermediate_size": -1}, "student.intermediate_size=-1"),
        ({"heads": 0}, "student.heads=0"),
        ({"hidden_size": 10, "heads": 4}, "student.heads=4: must divide student.hidden_size=10"),
        ({"init_from": "x", "heads": 4}, "student.heads=4: student.init_from=x already defines the student's shape"),
        ({"copy_head": False, "init": "random"}, "student.copy_head=false has no effect with student.init=random"),
        ({"copy_head": False, "init_from": "x"}, "student.copy_head=false has no effect with student.init_from=x"),
        ({"width_init": "random"}, "student.width_init=random has no effect"),
        ({"width_init": "random", "heads": 4, "init": "random"}, "student.width_init=random has no effect"),
        ({"init_from": "x", "init": "random"}, "student.init=random: student.init_from=x already defines"),
        ({"dropout": 1.0}, "student.dropout=1.0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StudentSpec(**settings)
