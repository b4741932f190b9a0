"""Synthetic reviews in the files of NSMC.

Their content has the structure of the synthetic corpus (``generation.py``), so a model pretrained on the corpus can
learn the task.
"""

from pathlib import Path
from random import Random

from distilkobert.synthetic.generation import distinct
from distilkobert.synthetic.registers import review
from distilkobert.synthetic.task_files import write_nsmc_files


def write_nsmc(folder: Path, *, train: int = 2000, test: int = 500, seed: int = 0) -> tuple[Path, Path]:
    """Write reviews and their labels as ``write_nsmc_files`` does; no text is in both files.

    Args:
        folder: made where missing.
        train: reviews in the training file.
        test: reviews in the test file.
        seed: the same seed gives the same bytes.

    Raises:
        ValueError: more different reviews are asked for than can be made.
    """
    rng = Random(seed)

    def make() -> tuple[str, int]:
        label = rng.randrange(2)
        return review(rng, positive=label == 1), label

    reviews = list(distinct(make, train + test, key=lambda pair: pair[0]))
    return write_nsmc_files(folder, reviews[:train], reviews[train:])
