"""A small Korean text of our own, so that everything can be tried without a corpus.

    from distilkobert.synthetic.generation import generate_sentences
    sentences = generate_sentences(5000, seed=1)

The text is seeded and the same on every machine. Sentences are distinct, 2 to about 35 words long, and written in
four registers. Inside a topic (``topics.py``) verbs take their own objects, places and persons, which is what
a small masked language model learns from it in a minute.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Final, TypeVar

from distilkobert.synthetic.reading import fact
from distilkobert.synthetic.registers import encyclopaedia, everyday, news, review

# All of this many were generated once and were distinct; the grammar holds far more.
MAX_SENTENCES: Final = 500_000
_REGISTERS: Final[tuple[tuple[Callable[[Random], str], float], ...]] = (
    (lambda rng: everyday(rng).text, 0.30),
    (lambda rng: news(rng).text, 0.20),
    (lambda rng: encyclopaedia(rng).text, 0.20),
    (lambda rng: review(rng, positive=rng.random() < 0.5), 0.15),
    (lambda rng: fact(rng).text, 0.15),
)
_MAX_REPEATS: Final = 1_000

Item = TypeVar("Item")


def iter_sentences(count: int, seed: int) -> Iterator[str]:
    """``count`` distinct Korean sentences; a larger ``count`` with the same seed starts with the same sentences.

    Raises:
        ValueError: ``count`` is negative or above ``MAX_SENTENCES``.
    """
    if not 0 <= count <= MAX_SENTENCES:
        raise ValueError(f"count must be 0 to {MAX_SENTENCES:,} distinct sentences, got {count:,}: ask for fewer")
    makers, weights = zip(*_REGISTERS, strict=True)
    rng = Random(seed)
    return distinct(lambda: rng.choices(makers, weights)[0](rng), count, key=str)


def generate_sentences(count: int, seed: int) -> list[str]:
    """The sentences of ``iter_sentences`` as a list."""
    return list(iter_sentences(count, seed))


def distinct(make: Callable[[], Item], count: int, key: Callable[[Item], str]) -> Iterator[Item]:
    """``count`` items from ``make`` with pairwise different keys.

    Raises:
        ValueError: ``make`` gave only known keys 1,000 times in a row.
    """
    seen: set[str] = set()
    repeats = 0
    while len(seen) < count:
        item = make()
        if key(item) in seen:
            repeats += 1
            if repeats == _MAX_REPEATS:
                raise ValueError(f"only {len(seen):,} different items could be made, {count:,} were asked for")
            continue
        repeats = 0
        seen.add(key(item))
        yield item
