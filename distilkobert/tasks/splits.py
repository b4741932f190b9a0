"""Which examples train, which choose the checkpoint, and which test: by a hash of what an example is known by.

A hash keeps every example in its part when a file is shuffled or grows, and keeps what shares a key (all questions of
one article) together. Chosen are the MD5 of the key's UTF-8 bytes, read as one number, and its remainder.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

TaskPart: TypeAlias = Literal["train", "dev", "test", "predict"]
"""The last one is a file of its own, never a part of another."""


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

    def rows(self, keys: Sequence[str], part: TaskPart, where: str) -> list[int]:
        """Numbers of the examples of a part, in the order of the file.

        Where no key falls into dev, and no test part is cut, the key with the smallest hash is dev: a part to choose
        checkpoints on always exists.

        Args:
            keys: what each example is known by.
            part: the part.
            where: the file, for messages.

        Raises:
            ValueError: the part is empty, because the file holds too few keys.
        """
        remainders = {key: number_of(key) % self.buckets for key in set(keys)}
        if not self.test and len(remainders) > 1 and not self.dev.intersection(remainders.values()):
            remainders[min(remainders, key=number_of)] = min(self.dev)
        chosen = [row for row, key in enumerate(keys) if self._part(remainders[key]) == part]
        if not chosen:
            raise ValueError(
                f"{where}: none of its {len(remainders)} keys (ids or article titles) falls into the {part} part, "
                "which a hash cuts from it; use a larger file"
            )
        return chosen

    def _part(self, remainder: int) -> TaskPart:
        return "dev" if remainder in self.dev else "test" if remainder in self.test else "train"


DEV_CUT: Final = HashSplit(20, frozenset({0}))
"""5 % of a training file, where a test file of its own exists: about 7,500 reviews of NSMC."""

KLUE_SPLIT: Final = HashSplit(10, frozenset({8}), frozenset({9}))
"""KLUE-NER and Naver NER where only one file is there: 0 to 7 train, 8 dev, 9 test."""

KORQUAD_SPLIT: Final = HashSplit(10, frozenset({7}), frozenset({8, 9}))
"""KorQuAD where only one file is there, by article title: 0 to 6 train, 7 dev, 8 and 9 test."""


def number_of(key: str) -> int:
    """The MD5 of `key` as a number."""
    return int(hashlib.md5(key.encode("utf-8"), usedforsecurity=False).hexdigest(), 16)


def describe(split: HashSplit, key: str, train_file: str, test_file: str | None) -> str:
    """The split in one sentence, for the record of a run.

    Args:
        split: the division of `train_file`.
        key: what is hashed, for example `review id`.
        train_file: name of the file that is divided.
        test_file: name of the file that is tested on; None where it is a part of `train_file`.
    """
    dev = ", ".join(map(str, sorted(split.dev)))
    rule = f"MD5 of the {key} modulo {split.buckets}"
    if test_file is not None:
        return f"{train_file} by {rule}: {dev} dev, others train; test: all of {test_file}"
    test = ", ".join(map(str, sorted(split.test)))
    return f"one file, {train_file}, by {rule}: {dev} dev, {test} test, others train"
