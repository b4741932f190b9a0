"""Which examples train, which choose the checkpoint, and which test: by a hash of what an example is known by.

A hash keeps every example in its part when a file is shuffled or grows, and keeps what shares a key (all questions of
one article) together. Chosen are the MD5 of the key's UTF-8 bytes, read as one number, and its remainder.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, TypeAlias

TaskPart: TypeAlias = Literal["train", "dev", "test", "predict", "unlabelled"]
"""The last two are files of their own, never parts of another; `unlabelled` trains too."""

_LEAST_SHARE: Final = 0.001

LABELLED: Final = ("train", "dev", "test")
"""Parts whose examples all have their labels."""


@dataclass(frozen=True)
class HashSplit:
    """A division of one file.

    Args:
        buckets: number of remainders.
        dev: remainders that choose the checkpoint.
        test: remainders that are tested on; none where another file is.
    """

    buckets: int
    dev: frozenset[int]
    test: frozenset[int] = frozenset()

    def rows(self, keys: Sequence[str], part: TaskPart, where: str, hashed: str) -> list[int]:
        """Numbers of the examples of a part, in the order of the file.

        Where no key falls into dev, and no test part is cut, the key with the smallest hash is dev: a part to choose
        checkpoints on always exists.

        Args:
            keys: what each example is known by.
            part: the part.
            where: the file, for messages.
            hashed: what the keys are, in words, for messages.

        Raises:
            ValueError: the part is empty, because the file holds too few keys.
        """
        remainders = {key: number_of(key) % self.buckets for key in set(keys)}
        if self.dev and not self.test and len(remainders) > 1 and not self.dev.intersection(remainders.values()):
            remainders[min(remainders, key=number_of)] = min(self.dev)
        chosen = [row for row, key in enumerate(keys) if self._part(remainders[key]) == part]
        if not chosen:
            options = "dev_share and test_share" if part == "train" else f"{part}_share or {part}_file"
            raise ValueError(
                f"{where}: none of its {len(remainders)} different keys (hashed is the {hashed}) falls into the {part} "
                f"part; change data's {options}, where it has them, or use a larger file"
            )
        return chosen

    def _part(self, remainder: int) -> TaskPart:
        return "dev" if remainder in self.dev else "test" if remainder in self.test else "train"


def groups_of(keys: Sequence[str], rows: Sequence[int]) -> list[int] | None:
    """Which examples of a part belong together, because they have the same key.

    Args:
        keys: what each example of a file is known by.
        rows: those of the part.

    Returns:
        For each example of the part, the place in the part of the first one with its key; None where all keys differ.
    """
    first: dict[str, int] = {}
    groups = [first.setdefault(keys[row], place) for place, row in enumerate(rows)]
    return groups if len(first) < len(groups) else None


def number_of(key: str) -> int:
    """The MD5 of `key` as a number."""
    return int(hashlib.md5(key.encode("utf-8"), usedforsecurity=False).hexdigest(), 16)


def shares(dev: float, test: float) -> HashSplit:
    """The split that gives dev and test these shares of the keys, rounded to thousandths.

    Args:
        dev: share of dev; 0 where it has a file of its own.
        test: the same of test.

    Raises:
        ValueError: a share is out of range, or nothing is left to train on.
    """
    for option, share in (("dev_share", dev), ("test_share", test)):
        if not 0.0 <= share < 1.0:
            raise ValueError(f"{option}={share}: must be 0 or more, and less than 1")
        if 0 < share < _LEAST_SHARE:
            raise ValueError(
                f"{option}={share}: expected 0, or {_LEAST_SHARE} or more; shares are rounded to thousandths"
            )
    parts = [Fraction(str(share)).limit_denominator(1000) for share in (dev, test)]
    if sum(parts) >= 1:
        raise ValueError(f"dev_share={dev} and test_share={test} leave nothing to train on; their sum must be below 1")
    buckets = math.lcm(*(part.denominator for part in parts))
    devs, tests = (int(part * buckets) for part in parts)
    start = buckets - devs - tests if tests else 0  # test last, and dev before it; first where test has its own file
    return HashSplit(
        buckets, frozenset(range(start, start + devs)), frozenset(range(start + devs, start + devs + tests))
    )


DEV_CUT: Final = shares(0.05, 0)
"""5 % of a training file, where a test file of its own exists: about 7,500 reviews of NSMC."""

KLUE_SPLIT: Final = shares(0.1, 0.1)
"""KLUE-NER and Naver NER where only one file is there: 0 to 7 train, 8 dev, 9 test."""

KORQUAD_SPLIT: Final = shares(0.1, 0.2)
"""KorQuAD where only one file is there, by article title: 0 to 6 train, 7 dev, 8 and 9 test."""


def describe(split: HashSplit, key: str, train_file: str, dev_file: str | None, test_file: str | None) -> str:
    """The split in one sentence, for the record of a run.

    Args:
        split: the division of `train_file`.
        key: what is hashed, for example `review id`.
        train_file: name of the file that is divided.
        dev_file: name of the file that dev is; None where it is a part of `train_file`.
        test_file: the same of test.
    """
    rule = f"MD5 of the {key} modulo {split.buckets}"
    cut = [f"{_listed(part)} {name}" for name, part in (("dev", split.dev), ("test", split.test)) if part]
    files = "".join(f"; {name}: all of {file}" for name, file in (("dev", dev_file), ("test", test_file)) if file)
    if not cut:
        return f"train: all of {train_file}{files}"
    start = train_file if files else f"one file, {train_file},"
    return f"{start} by {rule}: {', '.join(cut)}, others train{files}"


def _listed(part: frozenset[int]) -> str:
    numbers = sorted(part)
    if len(numbers) > 3:
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))
