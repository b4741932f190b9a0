"""The whole main job in a few minutes, on Korean text this project writes itself.

    python -m experiments.demo [--output runs/demo]

Writes sentences, trains a tokenizer, prepares the corpus, pretrains a tiny teacher, distils a student, evaluates the
same student without distillation, exports, and prints a table. Every step is one of the commands a researcher uses, in
a process of its own, and is printed before it runs.
"""

import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.commandline import call_with_options, run_command
from experiments.quiet import quieten_transformers

if TYPE_CHECKING:
    from rich.table import Table

    from distilkobert import KoBertTokenizer

SENTENCES = 20_000
VOCABULARY = 1_200
MARKER = "made-by-the-demo"
"""Empty file in the demo's folder, without which `overwrite` does not remove it."""


def demo(output: str = "runs/demo", seed: int = 42, overwrite: bool = False) -> Path:
    """Run the demo.

    Args:
        output: folder of everything it writes.
        seed: seed of text, tokenizer and both trainings.
        overwrite: remove the folder of an earlier demo first.

    Returns:
        The output folder.

    Raises:
        ValueError: the output folder exists, or a step failed.
    """
    from rich.console import Console

    from distilkobert.synthetic import generate_sentences
    from distilkobert.tokenizer_training import train_tokenizer

    folder = Path(output)
    if overwrite and (folder / MARKER).is_file():
        shutil.rmtree(folder)
    if folder.exists():
        raise ValueError(
            f"{folder} exists; remove it, name another --output, or replace an earlier demo with --overwrite=true"
        )
    started = time.monotonic()
    console = Console(width=max(100, Console().width))
    text, tokenizer_dir, corpus = folder / "text.txt", folder / "tokenizer", folder / "corpus"
    folder.mkdir(parents=True)
    (folder / MARKER).touch()
    sentences = generate_sentences(SENTENCES, seed=seed)
    text.write_text("\n".join(sentences) + "\n", encoding="utf-8")
    tokenizer = train_tokenizer(sentences, tokenizer_dir, vocab_size=VOCABULARY, seed=seed)
    console.print(f"{len(sentences):,} sentences, for example: {sentences[0]}\n{tokenizer.vocab_size:,} pieces")

    # Short sentences are the demo's subject, so its corpus keeps what the original's rule (more than 11 tokens) drops.
    _run("prepare", "corpus", "--input", text, "--tokenizer", tokenizer_dir, "--output", corpus, "--min_tokens", 5,
         "--max_tokens", 128, "--validation_fraction", 0.03)  # fmt: skip
    shared = [f"--run.root={folder}", f"--seed_everything={seed}", f"--data.data_dir={corpus}",
              f"--data.tokenizer={tokenizer_dir}", "-c", "configs/trainer/cpu.yaml"]  # fmt: skip
    teacher_run, student_run = folder / "teacher" / f"base_seed{seed}", folder / "student" / f"base_seed{seed}"
    teacher, student = folder / "exported" / "teacher", folder / "exported" / "student"
    _run("train", "fit", "-c", "configs/pretrain/mlm.yaml", "-c", "configs/demo/teacher.yaml", *shared)
    _run("export", "--checkpoint", teacher_run / "checkpoints" / "last.ckpt", "--output", teacher)
    recipe = ["-c", "configs/distill/distilkobert.yaml", "-c", "configs/distill/plus.yaml",
              "-c", "configs/demo/student.yaml", *shared, f"--model.teacher={teacher}"]  # fmt: skip
    _run("train", "validate", *recipe, "--run.arm=undistilled")
    _run("train", "fit", *recipe)
    _run("export", "--checkpoint", student_run / "checkpoints" / "last.ckpt", "--output", student)

    console.print(_table(folder, seed, tokenizer, sentences))
    console.print(f"{time.monotonic() - started:.0f} s in all. See the curves with: tensorboard --logdir {folder}")
    return folder


def _run(command: str, *arguments: object) -> None:
    """Run one of the project's commands in a fresh process, showing it first."""
    words = [f"experiments.{command}", *map(str, arguments)]
    print(f"\n$ python -m {shlex.join(words)}", flush=True)
    # Models this small gain nothing from threads, and lose much to their barriers on a busy machine.
    environment = {"OMP_NUM_THREADS": "1", **os.environ}
    finished = subprocess.run([sys.executable, "-m", *words], check=False, env=environment)
    if finished.returncode:
        raise ValueError(f"the step above failed with exit code {finished.returncode}; its own message says why")


def _table(folder: Path, seed: int, tokenizer: "KoBertTokenizer", sentences: list[str]) -> "Table":
    """Teacher, student and the student before training, measured on the same masks and the same sentences."""
    import torch
    from rich.table import Table

    from distilkobert.checkpoints import load_model
    from distilkobert.run_files import read_metrics
    from distilkobert.students import StudentSpec, build_student
    from experiments.speed import sentences_per_second

    quieten_transformers()
    teacher, _ = load_model(folder / "exported" / "teacher", "masked_lm")
    student, _ = load_model(folder / "exported" / "student", "masked_lm")
    untrained = build_student(teacher, StudentSpec()).eval()
    distilled = read_metrics(folder / "student" / f"base_seed{seed}")
    undistilled = read_metrics(folder / "student" / f"undistilled_seed{seed}")
    rows = [
        ("teacher", teacher, distilled["val/teacher_loss"], 1.0),
        ("student, distilled", student, distilled["val/loss"], distilled["val/agreement"]),
        ("student, untrained", untrained, undistilled["val/loss"], undistilled["val/agreement"]),
    ]
    ids = [torch.from_numpy(piece.astype("int64")) for piece in tokenizer.encode_batch(sentences[:512])]
    table = Table(title="Demo: masked-LM loss on held-out text, agreement with the teacher's first choice")
    for heading in ("model", "parameters", "MB", "validation loss", "agreement", "sentences/s"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for name, model, loss, agreement in rows:
        parameters = sum(p.numel() for p in model.parameters())
        speed = sentences_per_second(model, ids, pad_token_id=tokenizer.pad_token_id)
        table.add_row(
            name, f"{parameters:,}", f"{parameters * 4 / 2**20:.2f}", f"{loss:.3f}", f"{agreement:.1%}", f"{speed:,.0f}"
        )
    return table


def main() -> None:
    """Command line of the demo."""
    call_with_options(demo, "python -m experiments.demo", __doc__)


if __name__ == "__main__":
    sys.exit(run_command(main))
