"""The distillation benchmark compares like with like: both steps have the same loss and gradients."""

import copy
from pathlib import Path

import pytest
import torch

from experiments.bench.__main__ import main
from experiments.bench.baselines.naive_distillation import NaiveDistillation
from experiments.bench.steps.distil import HIDDEN, NAIVE, OURS, PLAIN, make_ways
from experiments.bench.steps.distilling import CLIP, Distilling, make_batch, make_module
from experiments.bench.timing.turns import Turns
from tests.support.networks.pretended_device import CUDA, pretended_cuda
from tests.world import read_json

SMALL = ["--layers=4", "--hidden_size=16", "--heads=2", "--student_layers", "0", "2", "--vocab_size=50", "--batch=3",
         "--length=24", "--rounds=2", "--threads=1"]  # fmt: skip


def distilling() -> Distilling:
    from distilkobert.models.teachers import EncoderSpec

    return Distilling(EncoderSpec(4, 16, 2, 24, dropout=0.0), (0, 2), vocab_size=50, batch=3, length=24, rounds=1)


def test_the_naive_step_computes_the_same() -> None:
    given = distilling()
    batch, module = make_batch(given), make_module(given)
    naive = NaiveDistillation(module.teacher_run.model, copy.deepcopy(module.network), lr=1e-3, clip=CLIP)
    ours, theirs = module.loss(batch).total, naive.loss(**batch)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    ours.backward()
    theirs.backward()
    pairs = list(zip(module.network.named_parameters(), naive.student.parameters(), strict=True))
    assert sum(mine.grad is not None for (_, mine), _ in pairs) > 20
    for (name, mine), its in pairs:
        if mine.grad is not None:
            assert torch.allclose(mine.grad, its.grad, atol=1e-6, rtol=1e-3), name


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here: tests/gpu uses it")
def test_the_naive_loss_is_computed_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    given = distilling()
    batch, module = make_batch(given), make_module(given)
    naive = NaiveDistillation(module.teacher_run.model, copy.deepcopy(module.network).eval(), lr=1e-3, clip=CLIP)
    expected = naive.loss(**batch).item()
    with pretended_cuda(monkeypatch):
        naive.teacher.to(CUDA)
        naive.student.to(CUDA)
        loss = naive.loss(**{name: value.to(CUDA) for name, value in batch.items()})
        assert loss.device == CUDA
        assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_steps_learn_and_passes_keep_what_they_are_named_for() -> None:
    given = distilling()
    batch = make_batch(given)
    assert 0.9 < batch["attention_mask"].float().mean() < 1
    assert bool((batch["labels"] >= 0).any(1).all())
    ways = make_ways(given, batch)
    naive = ways[NAIVE].func.__self__
    before = naive.loss(**batch).item()
    for _ in range(10):
        ways[NAIVE]()
    assert naive.loss(**batch).item() < before
    kept = {}
    for name in list(ways)[2:]:
        run = ways[name].args[0]
        ways[name]()
        kept[name] = (
            0 if run._capture is None else len(run._capture.kept.hidden),
            0 if run._capture is None else len(run._capture.kept.projections),
        )
    assert list(kept.values()) == [(0, 0), (3, 0), (0, 4)], "the last layer's states are the output"


def test_the_command_prints_and_keeps_its_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distil", *SMALL, f"--json={tmp_path / 'd.json'}"]) == 0
    said, numbers = capsys.readouterr().out, read_json(tmp_path / "d.json")
    turns = Turns({way: found["seconds"] for way, found in numbers["ways"].items()})
    assert f"the step is {turns.ratio(OURS, NAIVE).text('.2f')} times as fast as the naive one" in said
    assert f"{HIDDEN}: {turns.ratio(PLAIN, HIDDEN).text()} times the seconds of one that keeps nothing" in said
    assert {len(seconds) for seconds in turns.seconds.values()} == {2}
    assert numbers["tokens"] == int(make_batch(Distilling(vocab_size=50, batch=3, length=24))["attention_mask"].sum())


@pytest.mark.parametrize("command", ["distil", "pretrain", "finetune"])
@pytest.mark.parametrize("threads", [1, 2])
def test_processor_time_is_no_speed_of_several_threads(
    command: str, threads: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = [word for word in SMALL if not word.startswith(("--threads", "--rounds"))]
    if command != "distil":
        small = [word for word in small if word.startswith("--")]
        small.remove("--student_layers")
    if command == "finetune":
        small = [*small[:3], "--examples=4", "--kinds=sequence_classification", "--length=8"]
    options = [*small, "--rounds=1", "--clock=cpu", f"--threads={threads}"]
    assert main([command, *options, f"--json={tmp_path / 'n.json'}"]) == 0
    said, numbers = capsys.readouterr().out, read_json(tmp_path / "n.json")
    assert (numbers["clock"], numbers["threads"]) == ("cpu", threads)
    assert "cpu time" in said
    assert any(unit in said for unit in ("tokens/s", "GFLOP/s", "examples/s")) is (threads == 1)
    if command == "finetune":
        assert (numbers["kinds"]["sequence_classification"]["examples_per_s"] is None) is (threads > 1)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--rounds=0", "rounds is 0; expected at least 1"),
        ("--threads=0", "threads is 0"),
        ("--length=600", "length is 600; the teacher has 512 positions"),
        ("--heads=3", "encoder.heads=3: must divide"),
        ("--json=nowhere/d.json", "--json=nowhere/d.json: expected the name of a JSON file in a folder that exists"),
        ("--json=/proc/d.json", "--json=/proc/d.json: no file can be written there ("),
    ],
)
def test_errors_are_one_line(option: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distil", *SMALL, option]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert message in line
