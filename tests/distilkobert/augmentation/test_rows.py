"""Which words are replaced, how often, and which new rows are kept."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from distilkobert import KoBertTokenizer
from distilkobert.augmentation.proposals import Asked
from distilkobert.augmentation.rows import Augmenter, NewRow, Texts, TextSet
from distilkobert.augmentation.spec import AugmentSpec

OTHERS = ["하나", "둘", "셋", "넷"]
TEXTS: list[Texts] = [
    ("오늘은 날씨가 정말 좋다.",),
    ("(영화를) 또 봤다",),
    ("...",),
    ("",),
    ("오늘은 날씨가 정말 좋다.",),
]


class Fixed:
    """Proposes the same words for every word, none for 또."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def propose(self, asked: Sequence[Asked]) -> list[list[str]]:
        words = [one.text[one.word.start : one.word.end] for one in asked]
        self.asked += words
        return [[] if word == "또" else OTHERS for word in words]


def made(tokenizer: KoBertTokenizer, rows: Sequence[Texts], **options: Any) -> tuple[list[NewRow], Augmenter, Fixed]:
    there, proposer = TextSet(), Fixed()
    for texts in rows:
        there.add(texts)
    augmenter = Augmenter(proposer, tokenizer, AugmentSpec(**options), there)  # type: ignore[arg-type]
    return list(augmenter.rows(enumerate(rows))), augmenter, proposer


def words(text: str) -> list[str]:
    return [word.strip("().") for word in text.split()]


def test_every_new_row_is_the_source_with_some_words_replaced(tiny_tokenizer: KoBertTokenizer) -> None:
    rows, augmenter, _ = made(tiny_tokenizer, TEXTS, copies=30, seed=3)
    replaced = 0
    for row in rows:
        (source,), (text,) = TEXTS[row.source], row.texts
        assert "".join(c for c in text if c in "(). ") == "".join(c for c in source if c in "(). ")
        pairs = [(new, old) for new, old in zip(words(text), words(source), strict=True) if new != old]
        assert pairs
        assert {new for new, _ in pairs} <= set(OTHERS)
        assert "또" not in {old for _, old in pairs}
        replaced += len(pairs)
    counts = augmenter.counts
    assert len({row.texts for row in rows} | set(TEXTS)) == len(rows) + 4  # two of the five are the same text
    assert (counts.rows, counts.without_words, counts.drawn) == (5, 2, 90)
    assert (counts.kept, counts.words) == (len(rows), replaced)
    assert counts.kept + counts.unchanged + counts.duplicates == counts.drawn
    assert counts.duplicates > 0
    assert counts.unchanged > 0


def test_words_are_replaced_with_the_probability_and_proposals_are_equally_likely(
    tiny_tokenizer: KoBertTokenizer,
) -> None:
    text = " ".join(f"낱말{n}" for n in range(40))
    rows, augmenter, _ = made(tiny_tokenizer, [(text,)], copies=200, probability=0.25)
    used = Counter(new for row in rows for new, old in zip(words(row.texts[0]), words(text), strict=True) if new != old)
    total = 40 * 200
    assert augmenter.counts.words / total == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / total) ** 0.5)
    for word in OTHERS:
        assert used[word] / used.total() == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / used.total()) ** 0.5)
    places = Counter(
        place
        for row in rows
        for place, (new, old) in enumerate(zip(words(row.texts[0]), words(text), strict=True))
        if new != old
    )
    assert min(places.values()) > 20


def test_every_word_at_a_probability_of_one(tiny_tokenizer: KoBertTokenizer) -> None:
    rows, augmenter, _ = made(tiny_tokenizer, [("가다 오다",)], copies=300, probability=1.0)
    assert {row.texts[0] for row in rows} == {f"{one} {other}" for one in OTHERS for other in OTHERS}
    assert augmenter.counts.duplicates == 300 - 16


@pytest.mark.parametrize(("change", "halves"), [("both", {0, 1}), ("text", {0}), ("text_pair", {1})])
def test_halves_of_pairs(change: str, halves: set[int], tiny_tokenizer: KoBertTokenizer) -> None:
    pairs = [("오늘은 날씨가 좋다", "비가 온다"), ("오늘은 날씨가 좋다", "눈이 온다")]
    rows, _, proposer = made(tiny_tokenizer, pairs, copies=20, change=change)
    changed = {half for row in rows for half in (0, 1) if row.texts[half] != pairs[row.source][half]}
    assert changed == halves
    assert len(proposer.asked) == len(set(proposer.asked)) + (1 if 1 in halves else 0)  # 온다 of two texts


def test_the_seed_and_the_number_of_a_row_decide(tiny_tokenizer: KoBertTokenizer) -> None:
    rows, _, _ = made(tiny_tokenizer, TEXTS, copies=5, seed=1)
    assert made(tiny_tokenizer, TEXTS, copies=5, seed=1)[0] == rows
    assert made(tiny_tokenizer, TEXTS, copies=5, seed=2)[0] != rows
    longer = made(tiny_tokenizer, [*TEXTS, ("다른 글",)], copies=5, seed=1)[0]
    assert longer[: len(rows)] == rows
    fewer = made(tiny_tokenizer, TEXTS, copies=3, seed=1)[0]
    assert fewer == [row for row in rows if row.copy < 3]
    many = [(f"글 {n} 이다",) for n in range(150)]
    assert [row.source for row in made(tiny_tokenizer, many, copies=1)[0]] == sorted(
        row.source for row in made(tiny_tokenizer, many, copies=1)[0]
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"copies": 0}, "copies is 0; expected 1 or more"),
        ({"probability": 0.0}, "probability is 0; expected more than 0 and at most 1"),
        ({"probability": 1.01}, "probability is 1.01; expected more than 0"),
        ({"probability": float("nan")}, "probability is nan"),
        ({"proposals": 0}, "proposals is 0"),
        ({"max_pieces": -1}, "max_pieces is -1"),
    ],
)
def test_numbers_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AugmentSpec(**options)


def test_texts_are_told_apart_by_where_they_end() -> None:
    there = TextSet()
    assert [there.add(texts) for texts in (("a b",), ("a", "b"), ("a b",), ("a", "b"), ("a", " b"))] == [
        True, True, False, False, True,
    ]  # fmt: skip
