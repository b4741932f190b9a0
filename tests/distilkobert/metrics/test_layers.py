"""Layer similarity: against a second implementation over all tokens at once, and what it must not depend on."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from distilkobert.metrics import LayerSimilarity
from distilkobert.models.heads import encode, encode_layers
from distilkobert.models.students import StudentSpec, build_student
from tests.support.forkserver import run_two
from tests.support.networks.tiny import tiny_teacher


def naive_cka(x: Tensor, y: Tensor) -> float:
    """By Gram matrices of all tokens: trace(K L) over centered K and L."""
    x, y = x.double(), y.double()
    center = torch.eye(len(x), dtype=torch.float64) - 1 / len(x)
    k, m = center @ x @ x.T @ center, center @ y @ y.T @ center
    return float((k * m).sum() / ((k * k).sum() * (m * m).sum()).sqrt())


def two_layers(tokens: int = 40, width: int = 6) -> tuple[list[Tensor], list[Tensor]]:
    generator = torch.Generator().manual_seed(3)
    # One dimension with a mean a thousand times its spread, as in BERT's hidden states.
    offset = torch.tensor([1000.0, *[0.0] * (width - 1)])
    student = [torch.randn(tokens, width, generator=generator) + offset for _ in range(2)]
    teacher = [0.5 * s + torch.randn(tokens, width, generator=generator) + offset for s in student]
    return student, teacher


def measured(student: list[Tensor], teacher: list[Tensor], cuts: list[int]) -> dict[str, float]:
    metric = LayerSimilarity(len(student), student[0].shape[1])
    for start, end in zip([0, *cuts], [*cuts, len(student[0])], strict=True):
        metric.update([s[start:end] for s in student], [t[start:end] for t in teacher])
    return {name: float(value) for name, value in metric.compute().items()}


@pytest.mark.parametrize("cuts", [[], [1, 13], [20, 20]])
def test_both_measures_equal_a_second_implementation_however_batches_are_cut(cuts: list[int]) -> None:
    student, teacher = two_layers()
    values = measured(student, teacher, cuts)
    assert sorted(values) == ["cka/layer0", "cka/layer1", "similarity/layer0", "similarity/layer1"]
    for place, (s, t) in enumerate(zip(student, teacher, strict=True)):
        cosines = [float(a @ b / (a.norm() * b.norm())) for a, b in zip(s.double(), t.double(), strict=True)]
        assert values[f"similarity/layer{place}"] == pytest.approx(sum(cosines) / len(cosines), abs=1e-6)
        assert values[f"cka/layer{place}"] == pytest.approx(naive_cka(s, t), rel=1e-3)
    assert values["cka/layer0"] != pytest.approx(values["cka/layer1"], rel=1e-2)


def test_layers_of_two_widths_have_an_alignment_and_no_cosine() -> None:
    student, teacher = two_layers()
    metric = LayerSimilarity(2, 6, student_width=4)
    metric.update([s[:9, :4] for s in student], [t[:9] for t in teacher])
    metric.update([s[9:, :4] for s in student], [t[9:] for t in teacher])
    values = metric.compute()
    assert sorted(values) == ["cka/layer0", "cka/layer1"]
    for place, (s, t) in enumerate(zip(student, teacher, strict=True)):
        assert float(values[f"cka/layer{place}"]) == pytest.approx(naive_cka(s[:, :4], t), rel=1e-3)


@pytest.mark.parametrize(
    ("change", "cosine"), [(lambda x: x, 1.0), (lambda x: -3 * x, -1.0), (lambda x: x.flip(-1) + 7, None)]
)
def test_cka_does_not_see_rotation_scale_and_shift(change: Callable[[Tensor], Tensor], cosine: float | None) -> None:
    states = torch.randn(30, 5, generator=torch.Generator().manual_seed(1))
    values = measured([states], [change(states)], [11])
    assert values["cka/layer0"] == pytest.approx(1.0, abs=1e-5)
    if cosine is not None:
        assert values["similarity/layer0"] == pytest.approx(cosine, abs=1e-6)
    else:
        assert abs(values["similarity/layer0"]) < 0.9


def test_nothing_is_measured_without_tokens_and_a_constant_layer_is_like_nothing() -> None:
    empty = torch.zeros(0, 4)
    assert measured([empty], [empty], []) == {}
    values = measured([torch.ones(9, 4)], [torch.randn(9, 4)], [])
    assert values["cka/layer0"] == 0.0


def test_a_copied_layer_on_the_same_input_is_the_teachers() -> None:
    teacher = tiny_teacher(layers=4)
    student = build_student(teacher, StudentSpec(layers=(0, 1))).eval()
    ids, mask = torch.randint(5, 50, (2, 8)), torch.ones(2, 8, dtype=torch.long)
    layers, teacher_layers = encode_layers(student, ids, mask), encode_layers(teacher, ids, mask)
    assert (len(layers), len(teacher_layers)) == (2, 4)
    assert torch.equal(layers[-1], encode(student, ids, mask))
    assert torch.equal(teacher_layers[-1], encode(teacher, ids, mask))
    flat = [[layer.flatten(0, 1).detach() for layer in group] for group in (layers, teacher_layers[:2])]
    values = measured(flat[0], flat[1], [])
    assert values == pytest.approx(dict.fromkeys(values, 1.0), abs=1e-4)


def work(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    student, teacher = two_layers()
    share = slice(0, 29) if rank == 0 else slice(29, None)
    torch.save(measured([s[share] for s in student], [t[share] for t in teacher], []), f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_with_uneven_shares_measure_what_one_does(tmp_path: Path) -> None:
    expected = measured(*two_layers(), [])
    run_two(work, str(tmp_path))
    for rank in range(2):
        assert torch.load(tmp_path / f"{rank}.pt") == pytest.approx(expected, rel=1e-3)


def test_autocast_does_not_round_the_products() -> None:
    student, teacher = two_layers()
    exact = measured(student, teacher, [13])
    with torch.autocast("cpu", torch.bfloat16):
        assert measured(student, teacher, [13]) == exact
