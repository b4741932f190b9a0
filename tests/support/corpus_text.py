"""A small text file, and the command that prepares a corpus from it, for tests."""

import lzma
from pathlib import Path

from experiments.prepare.__main__ import main
from tests.support.tokenizers.sentences import SENTENCES

LINES = [f"{number} {sentence}" for number in range(5) for sentence in SENTENCES]


def write_text_file(folder: Path) -> Path:
    """Sentences, two short lines and a blank one, compressed."""
    path = folder / "a.txt.xz"
    path.write_bytes(lzma.compress("\n".join([*LINES, "짧다", "", "눈"]).encode()))
    return path


def prepare(text_file: Path, tokenizer: Path, output: Path, *more: str) -> int:
    """Run the command with a tenth held out; returns its exit code."""
    options = {"input": text_file, "tokenizer": tokenizer, "output": output, "validation_fraction": 0.1}
    return main(["corpus", *(part for name, value in options.items() for part in (f"--{name}", str(value))), *more])


def leftovers(folder: Path) -> list[str]:
    """What is in a folder beside its text files."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith((".txt.xz", ".txt")))
