"""The page of numbers says what the files say, and what is not measured; the guard refuses slower steps."""

import json
from itertools import count
from pathlib import Path

import pytest

from distilkobert.models.teachers import EncoderSpec
from experiments.bench import guard
from experiments.bench.__main__ import main
from experiments.bench.page import page
from experiments.bench.steps.flops import (
    Shape,
    distillation_flops,
    encoder_flops,
    head_flops,
    masked_lm_flops,
    matrix_peak,
)
from experiments.bench.targets import TARGETS
from tests.world import read_json

SHIPPED = Path("docs/performance")


def test_operations_of_a_small_network_are_counted_by_hand() -> None:
    """Width 4, inner 6, 2 rows of 3 tokens: 4 maps of 4 x 4, 2 of 4 x 6, and 2 products of 3 x 4 by 4 x 3 a row."""
    spec = EncoderSpec(layers=1, hidden_size=4, heads=1, intermediate_size=6)
    maps = 2 * 3 * (4 * 2 * 4 * 4 + 2 * 2 * 4 * 6)
    products = 2 * 2 * (2 * 3 * 4 * 3)
    assert encoder_flops(spec, 2, 3) == maps + products
    assert head_flops(4, 5, 10) == 5 * (2 * 4 * 4 + 2 * 4 * 10)
    shape = Shape(rows=2, length=3, projected=5, vocab_size=10)
    once = maps + products + 5 * (2 * 4 * 4 + 2 * 4 * 10)
    assert distillation_flops(spec, spec, shape) == once + 3 * once
    assert masked_lm_flops(spec, shape) == 3 * once


def test_the_shipped_page_is_that_of_the_shipped_files() -> None:
    assert Path("docs/performance.md").read_text(encoding="utf-8") == page(SHIPPED)


def test_what_has_no_file_is_not_yet_measured(tmp_path: Path) -> None:
    ways = {"step": {"quartiles_s": [1, 2, 3], "times_faster_than_x": [1.5, 2.0, 2.5]}}
    numbers = {"processor": "P", "questions_per_s": 1234.5, "ways": ways}
    (tmp_path / "qa_features.json").write_text(json.dumps(numbers), encoding="utf-8")
    text = page(tmp_path)
    assert "1,234 questions/s, 2.00 [1.50, 2.50] times the naive speed" in text
    assert text.count("Not yet measured.") == 12
    (tmp_path / "distil.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"distil.json is not what `experiments.bench distil` writes"):
        page(tmp_path)
    (tmp_path / "distil.json").unlink()
    del ways["step"]["times_faster_than_x"]
    (tmp_path / "qa_features.json").write_text(json.dumps(numbers), encoding="utf-8")
    with pytest.raises(ValueError, match=r"qa_features.json is not what `experiments.bench qa_features` writes"):
        page(tmp_path)


def test_targets_are_met_missed_or_not_yet_measured(tmp_path: Path) -> None:
    """A teacher of 8 and 90 ms, a student of 2 and 30: 4 and 3 times; in int8 2.5 times as fast, 20 % of the size."""
    models = {
        "teacher": {"batch_1_ms": 8.0, "batch_32_ms": 90.0, "mb": 90.0},
        "student": {"batch_1_ms": 2.0, "batch_32_ms": 30.0, "mb": 30.0},
        "student/model.onnx": {"batch_1_ms": 1.5, "batch_32_ms": 29.0, "mb": 20.0},
        "student/model_int8.onnx": {"batch_1_ms": 0.6, "batch_32_ms": 9.0, "mb": 4.0},
    }
    scores = {"torch/test/accuracy": 0.90, "int8/test/accuracy": 0.89}
    gpu = {"mfu": 0.4, "tokens_per_s": 999999.0, "ways": {"step": {"times_faster_than_naive step": [9.0, 10.0, 11.0]}}}
    files = {"latency": {"models": models}, "export_nsmc": scores, "gpu": gpu}
    rows = {target.about: target.row(files.get(target.source))[1:] for target in TARGETS}
    assert rows["student against its teacher, 1 sentence"] == ("at least 3.50 times", "4.00 times", "met")
    assert rows["student against its teacher, 32 sentences"] == ("at least 3.50 times", "3.00 times", "missed")
    assert rows["int8 ONNX against float32 ONNX, 1 sentence"] == ("at least 2.00 times", "2.50 times", "met")
    assert rows["size of int8 ONNX, of float32 ONNX"] == ("at most 25.0 %", "20.0 %", "met")
    assert rows["accuracy that int8 ONNX loses on NSMC"] == ("at most 0.50 points", "1.00 points", "missed")
    assert rows["two processes that prepare a corpus"] == ("at least 1.80 times", "not yet measured", "-")
    assert rows["step on a GPU against the naive one"] == ("at least 10.00 times", "10.00 times", "met")
    assert rows["share of the GPU's peak"] == ("at least 40 %", "40 %", "met")
    assert rows["speed on one GPU"] == ("at least 1,000,000 tokens/s", "999,999 tokens/s", "missed")
    (tmp_path / "export_nsmc.json").write_text(json.dumps(dict.fromkeys(scores, "?")), encoding="utf-8")
    with pytest.raises(ValueError, match=r"export_nsmc.json is not what"):
        page(tmp_path)
    (large, small), onnx = ("z", "a"), ("a/model.onnx", "a/model_int8.onnx")
    order = [large, small, *onnx]
    renamed = {"models": dict(sorted(zip(order, models.values(), strict=True)))}
    alike = [target.row(files["latency"]) for target in TARGETS if target.source == "latency"]
    for numbers, is_same in ((renamed | {"order": order}, True), (renamed, False)):
        found = [target.row(numbers) for target in TARGETS if target.source == "latency"]
        assert (found == alike) is is_same, "JSON has its keys in alphabetical order"
    alone = {"models": {"alone": models["teacher"]}}
    assert {target.row(alone)[2] for target in TARGETS if target.source == "latency"} == {"not yet measured"}


def ways_of(reference: str, **seconds: float) -> dict[str, object]:
    return {
        way: {"quartiles_s": [taken] * 3, f"times_faster_than_{reference}": [seconds[reference] / taken] * 3}
        for way, taken in seconds.items()
    }


def test_variants_of_preparing_follow_their_reference_by_number(tmp_path: Path) -> None:
    ways = ways_of("b", a=80.0, b=40.0, c=4.0, d=20.0)
    each = {name: dict.fromkeys(ways, value) for name, value in (("processor_s", [1.0, 2.0]), ("peak_mb", 70.0))}
    numbers = {"processor": "P", "cores": 2, "busy": 0.5, "lines": 800, "bytes": 9, "ways": ways, **each}
    (tmp_path / "prepare.json").write_text(json.dumps(numbers), encoding="utf-8")
    rows = [line for line in page(tmp_path).splitlines() if line.startswith(("| a ", "| b ", "| c ", "| d "))]
    assert [row.split(" | ")[:3] for row in rows] == [
        ["| b", "20", "1.00 [1.00, 1.00]"], ["| a", "10", "0.50 [0.50, 0.50]"],
        ["| d", "40", "2.00 [2.00, 2.00]"], ["| c", "200", "10.00 [10.00, 10.00]"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("found", "said", "has_speed"),
    [
        ({"threads": 1}, "1024 tokens per step with padding. 4.0 GFLOP per step at 2 GFLOP/s, 50%", True),
        ({"threads": 2, "clock": "wall"}, "padding; wall time. 4.0 GFLOP per step at 2 GFLOP/s, 50%", True),
        ({"threads": 1, "clock": "cpu"}, "padding; cpu time. 4.0 GFLOP per step at 2 GFLOP/s, 50%", True),
        ({"threads": 2, "clock": "cpu"}, "padding; cpu time.\n\n| variant", False),
    ],
)
def test_processor_time_of_several_threads_is_no_speed(
    found: dict[str, object], said: str, has_speed: bool, tmp_path: Path
) -> None:
    ways = ways_of("naive", naive=4.0, step=2.0)
    shape = {"processor": "P", "layers": 2, "hidden_size": 8, **found}
    numbers = {**shape, "tokens": 1024, "flops": 4e9, "peak_flops_per_s": 4e9, "ways": ways}
    (tmp_path / "pretrain.json").write_text(json.dumps(numbers), encoding="utf-8")
    kinds = {"own": {"examples_per_s": 12.0 if has_speed else None, "ways": ways}}
    (tmp_path / "finetune.json").write_text(json.dumps({**shape, "kinds": kinds}), encoding="utf-8")
    text = page(tmp_path)
    assert said in text
    assert f"| own | {'12' if has_speed else '-'} | 2.00 [2.00, 2.00] |" in text
    assert ("GFLOP" in text) is has_speed


def test_the_peak_is_measured_with_the_clock_of_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each product takes 2 s that pass and 3 s of the processor."""
    for name, seconds in (("perf_counter", 2.0), ("process_time", 3.0)):
        now = count(0.0, seconds)
        monkeypatch.setattr(f"experiments.bench.timing.turns.time.{name}", lambda now=now: next(now))
    assert matrix_peak("wall", size=10, rounds=1) == pytest.approx(2 * 10**3 / 2)
    assert matrix_peak("cpu", size=10, rounds=1) == pytest.approx(2 * 10**3 / 3)


@pytest.mark.parametrize(("ratio", "code"), [(2.0, 0), (1.61, 0), (1.59, 2)])
def test_the_guard_wants_four_fifths(
    ratio: float, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "guard.json"
    monkeypatch.setattr(guard, "ratios", lambda: {"distil": 2.0})
    assert main(["guard", f"--stored={path}"]) == 2
    assert "write it with --store" in capsys.readouterr().err
    assert main(["guard", f"--stored={path}", "--store"]) == 0
    monkeypatch.setattr(guard, "ratios", lambda: {"distil": ratio})
    assert main(["guard", f"--stored={path}"]) == code
    assert read_json(path) == {"distil": 2.0}


@pytest.mark.slow
def test_small_benchmarks_run(tmp_path: Path) -> None:
    small = ["--layers=2", "--hidden_size=16", "--heads=2", "--batch=4", "--length=16", "--rounds=1"]
    assert main(["pretrain", *small, "--vocab_size=60", f"--json={tmp_path / 'pretrain.json'}"]) == 0
    assert main(["finetune", *small, "--examples=8", f"--json={tmp_path / 'finetune.json'}"]) == 0
    assert main(["startup", "--rounds=1", f"--json={tmp_path / 'startup.json'}"]) == 0
    text = page(tmp_path)
    assert "| question_answering |" in text
    assert "| train --help |" in text
    assert len(read_json(tmp_path / "finetune.json")["kinds"]) == 5
