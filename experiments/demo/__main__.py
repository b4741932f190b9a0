"""The whole main job in a few minutes, on text and tasks in an invented language that this project writes itself.

    python -m experiments.demo [--output runs/demo] [--seed 42]

Writes the text and three tasks, and then runs the study `configs/study/demo.yaml` like any
other: corpus, distilled student, the same student undistilled, exports, and fine-tuning of both and of their teacher
on the three tasks. Ends with a report, a table, and what the student has kept of its teacher. Every command is one
that a researcher uses, and is shown before it runs.

The teacher is not trained here, which would take as long as all the rest: experiments/demo/pretrained/ holds it, and
`python -m experiments.demo.pretrain` makes it again.
"""

import shutil
import sys
import time
from pathlib import Path

from experiments._shared.commandline import call_with_options, run_command
from experiments.demo.files import PRETRAINED, write_files
from experiments.demo.steps import run_step

MARKER = "made-by-the-demo"
"""Empty file in the demo's folder, without which `overwrite` does not remove it."""
STUDY = "study"


def demo(output: str = "runs/demo", seed: int = 42, workers: int = 2, overwrite: bool = False) -> Path:
    """Run the demo.

    Args:
        output: folder of everything it writes.
        seed: seed of text, tasks and all trainings; the teacher and the words of the language stay the same.
        workers: runs at a time, each on one CPU thread.
        overwrite: remove the folder of an earlier demo first.

    Returns:
        The output folder.

    Raises:
        ValueError: the output folder exists, or a step failed.
    """
    from rich.console import Console

    folder = Path(output)
    if overwrite and (folder / MARKER).is_file():
        shutil.rmtree(folder)
    if folder.exists():
        raise ValueError(
            f"{folder} exists; remove it, name another --output, or replace an earlier demo with --overwrite=true"
        )
    started = time.monotonic()
    console = Console(width=max(128, Console().width))
    folder.mkdir(parents=True)
    (folder / MARKER).touch()
    console.print(write_files(folder, seed=seed))
    run_step("study", "--config", "configs/study/demo.yaml", f"--variables.demo={folder}", f"--root={folder}",
             f"--name={STUDY}", f"--seeds=[{seed}]", f"--workers={workers}")  # fmt: skip
    run_step("report", folder / STUDY)
    from experiments.demo.results import read_results, table, verdict

    results = read_results(folder / STUDY, seed, Path(PRETRAINED))
    console.print(table(results))
    console.print(f"{time.monotonic() - started:.0f} s in all. The report: {folder / STUDY}/report/report.html")
    console.print(f"The curves: tensorboard --logdir {folder / STUDY}", soft_wrap=True)
    console.print(verdict(results), soft_wrap=True)
    return folder


def main() -> None:
    """Command line of the demo."""
    call_with_options(demo, "python -m experiments.demo", __doc__)


if __name__ == "__main__":
    sys.exit(run_command(main))
