"""The demo's language and the files that are written in it."""

from pathlib import Path
from typing import Final

LEXICON: Final = 0
"""Seed of the invented words, which the shipped teacher knows; so it is not the demo's seed."""
PRETRAINED: Final = "experiments/demo/pretrained"
"""Folder of the shipped teacher and its tokenizer, from the checkout's root; written by `experiments.demo.pretrain`."""
SENTENCES: Final = 30_000

EXAMPLES: Final = 2


def write_lines(folder: Path, sentences: int, seed: int) -> list[str]:
    """Write `text.txt` into a folder, made where missing, and return its lines."""
    from distilkobert.synthetic.contexts import generate_text
    from distilkobert.synthetic.lexicon import make_lexicon

    folder.mkdir(parents=True, exist_ok=True)
    lines = generate_text(make_lexicon(LEXICON), sentences, seed=seed)
    (folder / "text.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return lines


def write_files(folder: Path, *, seed: int, sentences: int = SENTENCES) -> str:
    """Write `text.txt` and `tasks/{nsmc,naver_ner,korquad}/`, and return lines that describe them.

    Args:
        folder: made where missing.
        seed: the same seed gives the same files.
        sentences: lines of text.
    """
    from distilkobert.synthetic.lexicon import make_lexicon
    from distilkobert.synthetic.lexicon_tasks import write_tasks

    lines = write_lines(folder, sentences, seed)
    write_tasks(folder / "tasks", make_lexicon(LEXICON), seed=seed)
    shown = "\n".join(f"  {line}" for line in lines[:EXAMPLES])
    return f"{len(lines):,} lines of text with invented words, for example:\n{shown}\nThree tasks: {folder}/tasks"
