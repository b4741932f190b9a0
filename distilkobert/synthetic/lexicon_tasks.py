"""The three tasks on the invented words of a lexicon, small enough that knowing the words beforehand counts.

No invented word of a training file occurs in its test file: what a test asks can only come from the text corpus. Films
are judged, without the closing lines of the corpus; things are named by class; stories are asked for their person.
Every noun of the last two is of two classes, so the same noun is a person here and a place there, and the sentence at
hand decides: it takes more than a memory of words.
"""

from pathlib import Path
from random import Random
from typing import Final

from distilkobert.synthetic.contexts import opinion, telling, telling_clause
from distilkobert.synthetic.generation import distinct
from distilkobert.synthetic.grammar import Sentence, join
from distilkobert.synthetic.lexicon import CLASS_NOUNS, Lexicon
from distilkobert.synthetic.reading import Passage, Question
from distilkobert.synthetic.task_files import write_korquad_files, write_naver_ner_files, write_nsmc_files

TRAIN_WORDS: Final = 0.4
"""Share of the words that occur in training files."""


def write_tasks(
    folder: Path, lexicon: Lexicon, *, seed: int, train: tuple[int, int, int] = (100, 150, 100), test: int = 1000
) -> None:
    """Write ``nsmc/``, ``naver_ner/`` and ``korquad/``, with the names and layouts of the real files.

    Args:
        folder: made where missing.
        lexicon: the words.
        seed: the same seed gives the same bytes.
        train: examples in the training files of the three.
        test: examples in each test file.

    Raises:
        ValueError: more different examples are asked for than can be made.
    """
    rng, halves = Random(seed), lexicon.split(TRAIN_WORDS)

    def reviews(words: Lexicon, count: int) -> list[tuple[str, int]]:
        def make() -> tuple[str, int]:
            label = rng.randrange(2)
            return opinion(rng, words, positive=label == 1), label

        return list(distinct(make, count, key=lambda pair: pair[0]))

    def sentences(words: Lexicon, count: int) -> list[Sentence]:
        return list(distinct(lambda: telling(rng, words, shared=1.0), count, key=lambda made: made.text))

    def passages(words: Lexicon, count: int) -> list[Passage]:
        return list(distinct(lambda: _passage(rng, words), count, key=lambda made: made.title))

    first, last = halves
    write_nsmc_files(folder / "nsmc", reviews(first, train[0]), reviews(last, test))
    write_naver_ner_files(folder / "naver_ner", sentences(first, train[1]), sentences(last, test))
    write_korquad_files(folder / "korquad", passages(first, train[2]), passages(last, test))


def _passage(rng: Random, lexicon: Lexicon) -> Passage:
    """Three telling clauses of different classes, one of them about a person, and the question who that is.

    Its title is all of it, so that different ones have different titles.
    """
    others = [slot for slot in CLASS_NOUNS if slot != "PER"]
    slots = rng.sample(["PER", *rng.sample(others, 2)], 3)
    story = join([telling_clause(rng, lexicon, slot, shared=1.0) for slot in slots])
    answer = next(mention for mention in story.mentions if mention.slot == "PER")
    found = Question("이 이야기의 사람은?", story.text[answer.start : answer.end], answer.start)
    return Passage(story.text, story.text, (found,))
