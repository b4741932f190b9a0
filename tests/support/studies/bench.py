"""Run small studies on stand-in commands, in this process or in others, and look at what they did."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from experiments.study.__main__ import run_study
from tests.support.studies.fakes import LAUNCHER
from tests.support.studies.texts import SMALL, declare

PAUSE = 0.02


@dataclass(frozen=True)
class Bench:
    """A folder with a study, and the files by which its stand-ins are steered."""

    root: Path

    @property
    def folder(self) -> Path:
        """The study's folder."""
        return self.root / "runs" / "s"

    def steer(self, name: str, content: str) -> None:
        """Write one of the files of `fakes.py`."""
        (self.root / name).write_text(content, encoding="utf-8")

    def run(self, *options: str, text: str = SMALL) -> None:
        """Run the study in this process."""
        run_study(declare(self.root, text, *options), LAUNCHER, PAUSE)

    def start(self, *options: str, text: str = SMALL) -> "subprocess.Popen[str]":
        """Start a worker as a process of its own."""
        declare(self.root, text, *options)
        args = ["--config", str(self.root / "s.yaml"), "--root", str(self.root / "runs"), *options]
        return subprocess.Popen(
            [sys.executable, "-m", "tests.support.studies.worker", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def trace(self) -> list[str]:
        """What the stand-ins have noted."""
        path = self.root / "trace"
        return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []

    def ends(self) -> Counter[str]:
        """How often each training came to its end."""
        return Counter(line.split()[1] for line in self.trace() if line.startswith("end "))

    def metrics(self) -> dict[str, object]:
        """The metrics of all runs: the study's table."""
        return {
            str(path.parent.relative_to(self.folder)): json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(self.folder.rglob("metrics.json"))
        }

    def labels(self) -> list[str]:
        """Labels of the trainings that the plan holds."""
        plan = json.loads((self.folder / "plan.json").read_text(encoding="utf-8"))
        return [run["label"] for run in plan["runs"]]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("STUDY_FAKES", str(tmp_path))
    return Bench(tmp_path)
