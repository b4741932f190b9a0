"""Entity scores against seqeval, over hand-made, adversarial and thousands of random tag sequences."""

import itertools
import random
from collections.abc import Sequence

import pytest
import torch
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, Entities

from distilkobert.metrics import EntityF1
from distilkobert.metrics.entities import lenient_entities, strict_entities
from distilkobert.tasks.tags.labels import KLUE_NER_LABELS, NAVER_NER_LABELS

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # seqeval warns of odd tags and empty classes

TYPES = ("PER", "LOC", "A-B", "A_B", "B", "I", "가", "-X", "X-")
PREFIX_TAGS = ("O", "B", "I", *(f"{letter}-{kind}" for letter in "BI" for kind in TYPES))
SUFFIX_TAGS = ("O", "B", "I", *(f"{kind}-{letter}" for letter in "BI" for kind in TYPES))
IOBES_TAGS = ("O", "E", "S", *(f"{letter}-{kind}" for letter in "BIES" for kind in ("PER", "LOC")))
TAG_SETS = ((PREFIX_TAGS, False), (SUFFIX_TAGS, True), (IOBES_TAGS, False), (NAVER_NER_LABELS, True))


def sentences(tags: Sequence[str], count: int, seed: int, longest: int = 9) -> list[list[str]]:
    """Random sentences, half of them from only four tags so that runs and repeats occur; some are empty."""
    rng = random.Random(seed)
    result = []
    for _ in range(count):
        pool = tags if rng.random() < 0.5 else rng.sample(list(tags), 4)
        result.append(rng.choices(pool, k=rng.randint(0, longest)))
    return result


@pytest.mark.parametrize(("tags", "suffix"), TAG_SETS)
def test_lenient_entities_are_those_of_seqeval(tags: Sequence[str], suffix: bool) -> None:
    for sentence in sentences(tags, 4000, seed=1):
        expected = [(kind, start, end + 1) for kind, start, end in get_entities(sentence, suffix)]
        assert lenient_entities(sentence, suffix) == expected, sentence


@pytest.mark.parametrize(("tags", "suffix"), [(PREFIX_TAGS, False), (SUFFIX_TAGS, True)])
def test_strict_entities_are_those_of_seqeval(tags: Sequence[str], suffix: bool) -> None:
    batch = sentences(tags, 4000, seed=2)
    for sentence, expected in zip(batch, Entities(batch, IOB2, suffix).entities, strict=True):
        assert strict_entities(sentence, suffix) == [(e.tag, e.start, e.end) for e in expected], sentence


def test_every_short_sequence_agrees_with_seqeval() -> None:
    tags = ("O", "B-P", "I-P", "B-L", "I-L", "I")
    for length in range(5):
        for sequence in map(list, itertools.product(tags, repeat=length)):
            assert lenient_entities(sequence) == [(kind, start, end + 1) for kind, start, end in get_entities(sequence)]


@pytest.mark.parametrize(
    ("tags", "suffix", "lenient", "strict"),
    [
        ("PER-B PER-I O", True, [("PER", 0, 2)], [("PER", 0, 2)]),
        ("PER-I PER-I O", True, [("PER", 0, 2)], []),
        ("B-PER I-LOC", False, [("PER", 0, 1), ("LOC", 1, 2)], [("PER", 0, 1)]),
        ("B-PER B-PER", False, [("PER", 0, 1), ("PER", 1, 2)], [("PER", 0, 1), ("PER", 1, 2)]),
        ("B I O I", False, [("_", 0, 2), ("_", 3, 4)], [("_", 0, 2)]),
        ("UNK UNK O", True, [("UN", 0, 2)], []),
        ("PER-B UNK PER-I", True, [("PER", 0, 1), ("UN", 1, 2), ("PER", 2, 3)], [("PER", 0, 1)]),
        ("UNK I-PER", False, [("NK", 0, 1), ("PER", 1, 2)], []),
        ("", False, [], []),
    ],
)
def test_entities_worked_by_hand(tags: str, suffix: bool, lenient: list[object], strict: list[object]) -> None:
    assert lenient_entities(tags.split(), suffix) == lenient
    assert strict_entities(tags.split(), suffix) == strict


def noisy(golds: list[list[str]], tags: Sequence[str], seed: int) -> list[list[str]]:
    rng = random.Random(seed)
    return [[rng.choice(tags) if rng.random() < 0.3 else tag for tag in gold] for gold in golds]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(("tags", "suffix"), TAG_SETS)
def test_scores_are_those_of_seqeval(tags: Sequence[str], suffix: bool, strict: bool) -> None:
    if strict:
        tags = [tag for tag in tags if tag != "UNK" and tag[0] not in "ES"]  # seqeval's IOB2 stops at these
    metric = EntityF1(tags, suffix=suffix, strict=strict)
    options = {"suffix": suffix, "zero_division": 0} | ({"mode": "strict", "scheme": IOB2} if strict else {})
    for seed in range(25):
        golds = sentences(tags, 1 + seed, seed)
        guesses = noisy(golds, tags, seed)
        metric.reset()
        middle = seed // 2
        metric.update(guesses[:middle], golds[:middle])
        metric.update(guesses[middle:], golds[middle:])
        scores = metric.compute()
        assert float(scores["precision"]) == pytest.approx(precision_score(golds, guesses, **options))
        assert float(scores["recall"]) == pytest.approx(recall_score(golds, guesses, **options))
        assert float(scores["f1"]) == pytest.approx(f1_score(golds, guesses, **options))
        find = strict_entities if strict else lenient_entities
        types = sorted({e.type for sentence in (*golds, *guesses) for e in find(sentence, suffix)})
        per_type = f1_score(golds, guesses, average=None, **options) if types else []
        for kind, expected in zip(types, per_type, strict=True):
            if kind != "UN":
                assert float(scores[f"f1_{kind}"]) == pytest.approx(expected)


def test_scores_worked_by_hand() -> None:
    metric = EntityF1(KLUE_NER_LABELS)
    metric.update([["B-PS", "I-PS", "O"], ["B-LC"]], [["B-PS", "I-PS", "O"], ["O"]])
    metric.update([["O"], []], [["B-PS"], []])
    scores = {name: float(value) for name, value in metric.compute().items()}
    assert scores["precision"] == scores["recall"] == scores["f1"] == 0.5
    assert scores["f1_PS"] == pytest.approx(2 / 3)
    assert scores["f1_LC"] == scores["f1_TI"] == 0.0
    assert [name for name in scores if "_" in name] == [f"f1_{kind}" for kind in ("PS", "LC", "OG", "DT", "TI", "QT")]


def test_predicting_unk_costs_precision_in_lenient_mode_only() -> None:
    for strict, precision in ((False, 0.5), (True, 1.0)):
        metric = EntityF1(NAVER_NER_LABELS, suffix=True, strict=strict)
        metric.update([["PER-B", "UNK"]], [["PER-B", "O"]])
        scores = metric.compute()
        assert float(scores["precision"]) == precision
        assert len(scores) == 3 + 14


def test_entities_do_not_join_across_sentences() -> None:
    metric = EntityF1(["O", "B-P", "I-P"])
    metric.update([["B-P"], ["I-P"]], [["B-P"], ["I-P"]])
    assert int(metric.actual.sum()) == 2


def test_without_entities_all_scores_are_zero() -> None:
    metric = EntityF1(["O", "B-P", "I-P"])
    metric.update([["O"]], [["O"]])
    assert set(map(float, metric.compute().values())) == {0.0}
    assert EntityF1(["O"]).compute()["f1"] == torch.tensor(0.0)


@pytest.mark.parametrize(
    ("predictions", "targets", "message"),
    [
        ([["O"]], [["O"], ["O"]], "1 predicted sentences for 2"),
        ([["O"], ["O"]], [["O"], ["O", "O"]], "sentence 1: 1 predicted tags for 2"),
        ([["B-Q"]], [["O"]], r"sentence 0: tags \['B-Q'\] are not among the labels"),
    ],
)
def test_wrong_input_is_refused(predictions: list[list[str]], targets: list[list[str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EntityF1(["O", "B-P", "I-P"]).update(predictions, targets)


@pytest.mark.parametrize(
    ("label", "suffix", "strict"),
    [("-", False, False), ("PER-B", False, False), ("B-LOC", True, False), ("S-P", False, True)],
)
def test_label_of_another_scheme_is_refused(label: str, suffix: bool, strict: bool) -> None:
    with pytest.raises(ValueError, match=f"label '{label}' is not O or a tag"):
        EntityF1(["O", label], suffix=suffix, strict=strict)


def test_empty_tag_is_refused() -> None:
    for find in (lenient_entities, strict_entities):
        with pytest.raises(ValueError, match="empty string"):
            find(["O", ""])
