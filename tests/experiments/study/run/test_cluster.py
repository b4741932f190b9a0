"""The lines of a dry run go through a job array's script, and the study then finds what they left."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.experiments.study.run.test_runner import dry_run_lines
from tests.support.studies.bench import Bench, bench
from tests.support.studies.fakes import LAUNCHER

__all__ = ["bench"]

SCRIPT = Path("docs/cluster_array.sh")


def run_line(lines: Path, number: int, folder: Path) -> "subprocess.CompletedProcess[str]":
    """What Slurm does with one task of the array, with a `python -m` of ours on the path."""
    stub = folder / "bin" / "python"
    stub.parent.mkdir(exist_ok=True)
    command = " ".join(f"'{word}'" for word in LAUNCHER)
    stub.write_text(f'#!/bin/sh\nshift\nexec {command} "$@"\n', encoding="utf-8")
    stub.chmod(0o755)
    path = f"{stub.parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", str(SCRIPT.resolve()), str(lines)],
        env={**os.environ, "SLURM_ARRAY_TASK_ID": str(number), "PATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_lines_of_a_dry_run_run_as_an_array(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    lines = bench.root / "lines"
    lines.write_text("\n".join(dry_run_lines(bench)) + "\n", encoding="utf-8")
    for number in (1, 2, 4):  # teacher, one arm, its task; the other arm's tasks of the array never ran
        finished = run_line(lines, number, bench.root)
        assert finished.returncode == 0, finished.stderr
    assert set(bench.ends()) == {"teacher/teacher_seed1", "distil/copied_seed1", "nsmc/copied_seed1"}
    assert run_line(lines, 7, bench.root).returncode == 2
    capsys.readouterr()
    bench.run()
    assert "distil/copied_seed1 already exists" in capsys.readouterr().out
    assert bench.ends() == dict.fromkeys(bench.labels(), 1)
