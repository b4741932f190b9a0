"""The whole main job in a few minutes, on Korean text and tasks this project writes itself.

    python -m experiments.demo [--output runs/demo]

Writes sentences and three tasks, trains a tokenizer, and then runs the study `configs/study/demo.yaml` like any other:
corpus, tiny teacher, distilled student, the same student undistilled, exports, and fine-tuning of all three on the
three tasks. Ends with a table and a report. Every command is one that a researcher uses, and is shown before it runs.
"""

import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from experiments._shared.commandline import call_with_options, run_command

if TYPE_CHECKING:
    from rich.table import Table

SENTENCES = 20_000
VOCABULARY = 1_200
MARKER = "made-by-the-demo"
"""Empty file in the demo's folder, without which `overwrite` does not remove it."""

STUDY = "study"
ROWS = (("teacher", "teacher"), ("distilled", "student, distilled"), ("undistilled", "student, undistilled"))


def demo(output: str = "runs/demo", seed: int = 42, workers: int = 2, overwrite: bool = False) -> Path:
    """Run the demo.

    Args:
        output: folder of everything it writes.
        seed: seed of text, tokenizer and all trainings.
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
    console = Console(width=max(110, Console().width))
    console.print(write_files(folder, seed=seed))
    _run("study", "--config", "configs/study/demo.yaml", f"--variables.demo={folder}", f"--root={folder}",
         f"--name={STUDY}", f"--seeds=[{seed}]", f"--workers={workers}")  # fmt: skip
    _run("report", folder / STUDY)
    console.print(table(folder / STUDY, seed))
    console.print(
        "One seed, and a teacher of few steps, which its students can pass: this shows the machinery, not what "
        "distillation is worth."
    )
    console.print(f"{time.monotonic() - started:.0f} s in all. The report: {folder / STUDY}/report/report.html")
    console.print(f"The curves: tensorboard --logdir {folder / STUDY}", soft_wrap=True)
    return folder


def write_files(folder: Path, *, seed: int, sentences: int = SENTENCES, vocabulary: int = VOCABULARY) -> str:
    """Write `text.txt`, `tokenizer/` and `tasks/{nsmc,naver_ner,korquad}/`, and return a line that tells of them.

    Args:
        folder: made where missing.
        seed: the same seed gives the same files.
        sentences: lines of text.
        vocabulary: pieces of the tokenizer.
    """
    from distilkobert.synthetic.generation import generate_sentences
    from distilkobert.synthetic.tasks import write_korquad, write_naver_ner, write_nsmc
    from distilkobert.tokenizers.training import train_tokenizer

    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).touch()
    lines = generate_sentences(sentences, seed=seed)
    (folder / "text.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tokenizer = train_tokenizer(lines, folder / "tokenizer", vocab_size=vocabulary, seed=seed)
    write_nsmc(folder / "tasks" / "nsmc", seed=seed)
    write_naver_ner(folder / "tasks" / "naver_ner", seed=seed)
    write_korquad(folder / "tasks" / "korquad", seed=seed)
    return f"{len(lines):,} sentences, for example: {lines[0]}\n{tokenizer.vocab_size:,} pieces, three tasks: {folder}"


def _run(command: str, *arguments: object) -> None:
    """Run one of the project's commands in a fresh process, showing it first."""
    args = [f"experiments.{command}", *map(str, arguments)]
    print(f"\n$ python -m {shlex.join(args)}", flush=True)
    # Models this small gain nothing from threads, and lose much to their barriers on a busy machine.
    environment = {"OMP_NUM_THREADS": "1", **os.environ}
    finished = subprocess.run([sys.executable, "-m", *args], check=False, env=environment)
    if finished.returncode:
        raise ValueError(f"the step above failed with exit code {finished.returncode}; its own message says why")


def table(study: Path, seed: int) -> "Table":
    """Teacher, student and the student before training: size, the same masks, speed in one run, the same tasks.

    Args:
        study: folder of the demo's study.
        seed: its seed.
    """
    from rich.table import Table

    from distilkobert.io.metric_names import AGREEMENT, LOSS, TEACHER_LOSS, TEST
    from distilkobert.io.run_files import read_metrics
    from experiments._shared.latency_file import LATENCY_FILE, read_latencies

    speed = read_latencies(study / LATENCY_FILE).models
    shown = Table(title="Demo: held-out masked-LM loss, agreement with the teacher's first choice, and the three tasks")
    headings = ("model", "parameters", "MB", "loss", "agreement", "sentences/s", "NSMC", "NER F1", "KorQuAD EM/F1")
    for heading in headings:
        shown.add_column(heading, justify="left" if heading == "model" else "right")
    for arm, name in ROWS:
        run = f"{arm}_seed{seed}"
        model = speed[f"exported/{run}"]
        distilled = read_metrics(study / "distil" / (f"distilled_seed{seed}" if arm == "teacher" else run))
        loss, agreement = distilled[LOSS], f"{distilled[AGREEMENT]:.1%}"
        if arm == "teacher":
            loss, agreement = distilled[TEACHER_LOSS], ""
        nsmc, ner, korquad = (read_metrics(study / task / run) for task in ("nsmc", "naver_ner", "korquad"))
        shown.add_row(
            name, f"{model.parameters:,}", f"{model.mb:.2f}", f"{loss:.3f}", agreement,
            f"{model.sentences_per_s:,.0f}", f"{nsmc[f'{TEST}accuracy']:.1%}", f"{ner[f'{TEST}f1']:.1%}",
            f"{korquad[f'{TEST}exact_match']:.1f}/{korquad[f'{TEST}f1']:.1f}",
        )  # fmt: skip
    return shown


def main() -> None:
    """Command line of the demo."""
    call_with_options(demo, "python -m experiments.demo", __doc__)


if __name__ == "__main__":
    sys.exit(run_command(main))
