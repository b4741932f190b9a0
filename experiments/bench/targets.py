"""What the project aims at in speed, size and scores, and whether the numbers of the benchmarks reach it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from experiments.bench.timing.turns import times_faster

Numbers = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """One aim.

    Args:
        about: what is measured.
        source: benchmark whose file has the numbers.
        bound: `at least` or `at most`.
        value: that is aimed at.
        form: format of a value with its unit, for `str.format`.
        measured: the value from the numbers of the file; None where they are of something else.
        limit: why it cannot be reached, where that is known.
    """

    about: str
    source: str
    bound: Literal["at least", "at most"]
    value: float
    form: str
    measured: Callable[[Numbers], float | None]
    limit: str = ""

    def row(self, numbers: Numbers | None) -> tuple[str, str, str, str]:
        """The aim, its value, what was measured, and whether that is enough.

        Args:
            numbers: of the file; None where there is none.
        """
        value = None if numbers is None else self.measured(numbers)
        aim = f"{self.bound} {self.form.format(self.value)}"
        if value is None:
            return self.about, aim, "not yet measured", "-"
        met = value >= self.value if self.bound == "at least" else value <= self.value
        missed = f"missed: {self.limit}" if self.limit else "missed"
        return self.about, aim, self.form.format(value), "met" if met else missed


def in_order(numbers: Numbers) -> list[tuple[str, Any]]:
    """The models of a latency file with their numbers, as they were measured; in older files as they are written."""
    return [(name, numbers["models"][name]) for name in numbers.get("order", numbers["models"])]


def _ratio(slow: int, fast: int, name: str, times: float = 1.0) -> Callable[[Numbers], float | None]:
    """Of two forms of a latency file: 0 the teacher, 1 its student, 2 the student's ONNX file, 3 that in int8.

    Teacher and student are the first two folders that were measured.
    """

    def ratio(numbers: Numbers) -> float | None:
        models = dict(in_order(numbers))
        teacher, student, *_ = [*(one for one in models if not one.endswith(".onnx")), "", ""]
        forms = (teacher, student, f"{student}/model.onnx", f"{student}/model_int8.onnx")
        if forms[slow] not in models or forms[fast] not in models:
            return None
        return times * float(models[forms[slow]][name] / models[forms[fast]][name])

    return ratio


def _points_lost(numbers: Numbers) -> float | None:
    names = "torch/test/accuracy", "int8/test/accuracy"
    if any(name not in numbers for name in names):
        return None
    exact, small = (100 * float(numbers[name]) for name in names)
    return exact - small


def _median_ratio(way: str) -> Callable[[Numbers], float | None]:
    def ratio(numbers: Numbers) -> float | None:
        return times_faster(numbers["ways"][way]).median if way in numbers["ways"] else None

    return ratio


TIMES: Final = "{:.2f} times"
_SIZE_LIMIT: Final = (
    "with 8 bits a weight, matrices alone give 25.0 %. Biases and norms stay float32 (+0.14), each column of a "
    "matrix has a scale and a zero point (+0.15), and the graph itself takes 35 kB (+0.1)"
)
_PREPARE_LIMIT: Final = (
    "two cores that divide the processor time below without waiting would give 1.82; hashes, the start of the "
    "processes and joining, about 0.55 s, are done one after the other, which leaves 1.7 of 90 MB"
)
TARGETS: Final = (
    Target("student against its teacher, 1 sentence", "latency", "at least", 3.5, TIMES, _ratio(0, 1, "batch_1_ms")),
    Target("student against its teacher, 32 sentences", "latency", "at least", 3.5, TIMES, _ratio(0, 1, "batch_32_ms")),
    Target("int8 ONNX against float32 ONNX, 1 sentence", "latency", "at least", 2.0, TIMES, _ratio(2, 3, "batch_1_ms")),
    Target(
        "size of int8 ONNX, of float32 ONNX", "latency", "at most", 25.0, "{:.1f} %", _ratio(3, 2, "mb", 100),
        _SIZE_LIMIT,
    ),
    Target("accuracy that int8 ONNX loses on NSMC", "export_nsmc", "at most", 0.5, "{:.2f} points", _points_lost),
    Target(
        "step with a teacher in int8, KoBERT's size", "int8_teacher_kobert", "at least", 1.2, TIMES,
        _median_ratio("step, int8 teacher"),
    ),
    Target(
        "two processes that prepare a corpus", "prepare", "at least", 1.8, TIMES, _median_ratio("2 processes"),
        _PREPARE_LIMIT,
    ),
    Target("step on a GPU against the naive one", "gpu", "at least", 10.0, TIMES, _median_ratio("step")),
    Target("share of the GPU's peak", "gpu", "at least", 40.0, "{:.0f} %", lambda gpu: 100 * float(gpu["mfu"])),
    Target("speed on one GPU", "gpu", "at least", 1e6, "{:,.0f} tokens/s", lambda gpu: float(gpu["tokens_per_s"])),
)  # fmt: skip
"""In the order of the page; the last three are of an H100 or A100 at KoBERT's size."""
