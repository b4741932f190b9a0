"""Make the demo's teacher again: text, tokenizer, masked language modelling, and the folder that the demo distils.

    python -m experiments.demo.pretrain [--output runs/demo_teacher]

About 7 minutes of one core. The checkout holds its result in experiments/demo/pretrained/, with a model card. The
same command continues after an interruption.
"""

import sys
from pathlib import Path
from typing import Final

from experiments._shared.commandline import call_with_options, run_command
from experiments.demo.files import write_lines
from experiments.demo.steps import run_step

SENTENCES: Final = 100_000
VOCABULARY: Final = 490
TEXT_SEED: Final = 20_261_126
"""The demo's seeds are small numbers, so its text is not the teacher's."""


def pretrain(output: str = "runs/demo_teacher", seed: int = 42) -> Path:
    """Make the teacher.

    Args:
        output: folder of everything that is written; a corpus and a training in it go on.
        seed: seed of the training.

    Returns:
        The folder of the teacher.

    Raises:
        ValueError: a step failed, or the folder holds a finished teacher.
    """
    folder, tokenizer, corpus = Path(output), f"{output}/tokenizer", f"{output}/corpus"
    if (folder / "pretrained").exists():
        raise ValueError(f"{folder / 'pretrained'} exists; remove it, or name another --output")
    write_text_and_tokenizer(folder)
    run_step(
        "prepare", "corpus", "--input", f"{output}/text.txt", f"--tokenizer={tokenizer}", f"--output={corpus}",
        "--min_tokens=5", "--max_tokens=128", "--validation_fraction=0.01",
    )  # fmt: skip
    run_step(
        "train", "fit", "-c", "configs/pretrain/mlm.yaml", "-c", "configs/demo/teacher.yaml",
        "-c", "configs/trainer/cpu.yaml", f"--data.data_dir={corpus}", f"--data.tokenizer={tokenizer}",
        f"--run.root={output}", f"--seed_everything={seed}", "--run.resume=auto",
    )  # fmt: skip
    last = f"{output}/teacher/base_seed{seed}/checkpoints/last.ckpt"
    run_step("export", f"--checkpoint={last}", f"--output={output}/pretrained")
    return folder / "pretrained"


def write_text_and_tokenizer(folder: Path, sentences: int = SENTENCES, vocabulary: int = VOCABULARY) -> None:
    """Write `text.txt` and `tokenizer/`; the same files every time.

    Args:
        folder: made where missing.
        sentences: lines of text.
        vocabulary: pieces of the tokenizer.
    """
    from distilkobert.tokenizers.training import train_tokenizer

    lines = write_lines(folder, sentences, TEXT_SEED)
    train_tokenizer(lines, folder / "tokenizer", vocab_size=vocabulary, seed=TEXT_SEED)


def main() -> None:
    """Command line."""
    call_with_options(pretrain, "python -m experiments.demo.pretrain", __doc__)


if __name__ == "__main__":
    sys.exit(run_command(main))
