"""KLUE's ROUGE-W against cases worked by hand, and a second implementation over all parts of a text."""

import random
import string

import pytest

from distilkobert.metrics.klue_mrc import normalise_klue, rouge_w

ALPHABET = "가나다 가나 AaB 1.,'\"《》()‘’·\t\u3000"


def texts(seed: int, count: int, longest: int) -> list[str]:
    draw = random.Random(seed)
    return ["".join(draw.choices(ALPHABET, k=draw.randint(0, longest))) for _ in range(count)]


def parts(text: str) -> set[str]:
    return {text[start:end] for start in range(len(text)) for end in range(start + 1, len(text) + 1)}


def naive_normalise(text: str) -> str:
    kept = [character for character in text.lower() if character not in string.punctuation]
    words = [""]
    for character in kept:
        if character.isspace():
            words.append("")
        else:
            words[-1] += character
    return " ".join(word for word in words if word)


def naive(prediction: str, gold: str) -> float:
    given, true = naive_normalise(prediction), naive_normalise(gold)
    if true == "" or given == "":
        return float(given == true)
    run = max((len(part) for part in parts(given) & parts(true)), default=0)
    precision, recall = run / len(given), run / len(true)
    return 0.0 if run == 0 else 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(
    ("prediction", "golds", "expected"),
    [
        ("서울특별시에서", ["서울특별시"], 2 * 5 / (7 + 5)),  # 5 of 7 characters, 5 of 5
        ("한국 은행", ["한국은행"], 2 * 2 / (5 + 4)),  # the space counts, and parts the run: 한국, or 은행
        ("가나다라", ["가나마다라"], 2 * 2 / (4 + 5)),  # 가나 or 다라: parts do not add up, as in a subsequence
        ("부산", ["서울"], 0.0),
        ("서울.", ["서울", "부산"], 1.0),
        ("《서울》", ["서울"], 2 * 2 / (4 + 2)),  # Korean brackets stay, where KorQuAD's rules drop them
        ("", [""], 1.0),
        ("서울", [""], 0.0),
        ("", ["서울"], 0.0),
        ("...", [""], 1.0),
        ("Seoul", ["SEOUL city", "seoul"], 1.0),
    ],
)
def test_cases_worked_by_hand(prediction: str, golds: list[str], expected: float) -> None:
    assert rouge_w(prediction, golds) == pytest.approx(expected)


def test_it_equals_a_search_through_all_parts() -> None:
    answers, golds = texts(1, 400, 14), texts(2, 400, 12)
    found = [rouge_w(answer, [gold]) for answer, gold in zip(answers, golds, strict=True)]
    assert found == pytest.approx([naive(answer, gold) for answer, gold in zip(answers, golds, strict=True)])
    assert len(set(found)) > 20
    several = [rouge_w(answer, golds[:3]) for answer in answers[:50]]
    assert several == pytest.approx([max(naive(answer, gold) for gold in golds[:3]) for answer in answers[:50]])


def test_true_answers_of_200_characters_and_more_are_searched_whole() -> None:
    """There `difflib` leaves out frequent characters unless `autojunk` is off."""
    draw = random.Random(3)
    for _ in range(4):
        answer, gold = ("".join(draw.choices("가나다라", k=count)) for count in (30, 220))
        assert rouge_w(answer, [gold]) == pytest.approx(naive(answer, gold))
        assert naive(answer, gold) > 0


def test_the_normal_form_is_that_of_single_characters() -> None:
    assert all(normalise_klue(text) == naive_normalise(text) for text in texts(3, 200, 60))
