"""The precision benchmark trains in every format, in turns, and leaves torch as it was."""

import pytest
import torch

from experiments.bench.__main__ import main
from experiments.bench.steps import precision as bench

SMALL = ["--layers", "1", "--hidden_size", "16", "--heads", "2", "--batch", "2", "--length", "8", "--rounds", "2"]


def test_each_format_is_timed_as_often_and_the_median_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, steps = [0.0], []

    def make_step(training: bench.Training):
        def step(half: bool) -> None:
            fused = torch.backends.cuda.flash_sdp_enabled()
            steps.append((half, fused))
            # The first step of all is slow and must not count.
            clock[0] += (
                9.0 if len(steps) <= 3 else {(False, True): 0.4, (True, True): 0.2, (True, False): 0.1}[half, fused]
            )

        return step

    monkeypatch.setattr(bench, "_step", make_step)
    monkeypatch.setattr("experiments.bench.timing.turns.time.perf_counter", lambda: clock[0])
    assert main(["precision", *SMALL]) == 0
    assert [steps.count(one) for one in ((False, True), (True, True), (True, False))] == [3, 3, 3]
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[-4:] for line in lines] == [
        ["40", "tokens/s", "1.00", "x"],
        ["80", "tokens/s", "2.00", "x"],
        ["160", "tokens/s", "4.00", "x"],
    ]


def test_steps_train_and_torch_is_left_as_it_was() -> None:
    fused, threads = torch.backends.cuda.flash_sdp_enabled(), torch.get_num_threads()
    training = bench.Training(bench.EncoderSpec(1, 16, 2, 64), batch=4, length=8, rounds=1, threads=1)
    assert all(speed > 0 for speed in bench.bench_precision(training).values())
    assert (torch.backends.cuda.flash_sdp_enabled(), torch.get_num_threads()) == (fused, threads)
    step = bench._step(training)
    first = step(False)
    for _ in range(30):
        last = step(True)
    assert last < first


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--rounds", "0"], "rounds is 0; expected at least 1"),
        (["--threads", "0"], "threads is 0"),
        (["--length", "600"], "length is 600; the encoder has 512 positions"),
        (["--heads", "3"], "encoder.heads=3: must divide"),
    ],
)
def test_errors_are_one_line(option: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["precision", *SMALL, *option]) == 2
    assert message in capsys.readouterr().err
