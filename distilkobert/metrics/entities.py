"""Entity precision, recall and F1, equal to seqeval 1.2.2: pure functions and a torchmetrics class over them.

Two ways to cut a tag sequence into entities:

- lenient (seqeval's default, the rules of the CoNLL-2000 scorer): an I that follows another type or an O opens an
  entity as well, so damaged sequences still count;
- strict (seqeval's ``mode="strict", scheme=IOB2``): only B opens, only I of the same type continues.

A tag is a letter (B, I, O; also E and S in lenient mode) and a type, joined as ``B-PER``, or as ``PER-B`` with
``suffix``. A bare ``B`` or ``I`` has the type ``_``. The tag ``UNK``, a class of the published Naver NER heads that
never occurs in the data, is for seqeval the letter K (or U) and the type UN (or NK): a model that predicts it in
lenient mode has predicted an entity that is always wrong. In strict mode, where seqeval stops, it counts as O.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

UNKNOWN_TAG: Final = "UNK"
UNTYPED: Final = "_"
_LENIENT_LETTERS: Final = "BIOES"
_STRICT_LETTERS: Final = "BIO"


class Entity(NamedTuple):
    """Positions ``start`` to ``end`` (exclusive) of a tag sequence."""

    type: str
    start: int
    end: int


def lenient_entities(tags: Sequence[str], suffix: bool = False) -> list[Entity]:
    """Entities of one sentence by the rules of the CoNLL-2000 scorer.

    Raises:
        ValueError: a tag is an empty string.
    """
    found = []
    start = 0
    before, type_before = "O", ""
    for position, tag in enumerate([*tags, "O"]):
        letter, kind = _split(tag, suffix)
        if _closes(before, letter, type_before != kind):
            found.append(Entity(type_before, start, position))
        if _opens(before, letter, type_before != kind):
            start = position
        before, type_before = letter, kind
    return found


def strict_entities(tags: Sequence[str], suffix: bool = False) -> list[Entity]:
    """Entities of one sentence in strict IOB2: a B and the I of the same type that follow it.

    Raises:
        ValueError: a tag is an empty string.
    """
    found = []
    current: Entity | None = None
    for position, tag in enumerate([*tags, "O"]):
        letter, _ = _split(tag, suffix)
        kind = (tag[:-1] if suffix else tag[1:]).strip("-") or UNTYPED
        if current and letter == "I" and kind == current.type:
            continue
        if current:
            found.append(current._replace(end=position))
        current = Entity(kind, position, position) if letter == "B" else None
    return found


def tag_type(tag: str, suffix: bool = False) -> str:
    """The type of a tag, whatever its letter; O and UNK are types of their own.

    Raises:
        ValueError: the tag is an empty string.
    """
    return tag if tag in ("O", UNKNOWN_TAG) else _split(tag, suffix)[1]


def _split(tag: str, suffix: bool) -> tuple[str, str]:
    """Letter and type of a tag as seqeval reads them in lenient mode."""
    if not tag:
        raise ValueError("a tag is an empty string; expected O, or a tag such as B-PER or PER-B")
    if suffix:
        return tag[-1], tag[:-1].rsplit("-", maxsplit=1)[0] or UNTYPED
    return tag[0], tag[1:].split("-", maxsplit=1)[-1] or UNTYPED


def _closes(before: str, letter: str, new_type: bool) -> bool:
    """Whether an entity ends between two tags."""
    return before in "ES" or (before in "BI" and letter in "BSO") or (before not in "O." and new_type)


def _opens(before: str, letter: str, new_type: bool) -> bool:
    """Whether an entity starts with the second of two tags."""
    return letter in "BS" or (before in "ESO" and letter in "EI") or (letter not in "O." and new_type)


class EntityF1(Metric):
    """Micro-averaged precision, recall and F1 over entities (0 to 1), and the F1 of each type.

    The counts of all sentences and processes are summed before anything is divided, so uneven shards are exact.
    A ratio without a denominator is 0, as in seqeval.

    Args:
        labels: all tags that may occur.
        suffix: tags are written PER-B (Naver NER) and not B-PER (KLUE-NER).
        strict: strict IOB2 entities instead of lenient ones.

    Raises:
        ValueError: a label is not O, UNK, or a tag of the scheme. A lone "-", the outside tag of the challenge files,
            is refused: write O, because seqeval would count it as an entity between some neighbours.
    """

    full_state_update = False
    is_differentiable = False
    higher_is_better = True
    correct: Tensor
    predicted: Tensor
    actual: Tensor

    def __init__(self, labels: Sequence[str], suffix: bool = False, strict: bool = False) -> None:
        super().__init__()
        self.suffix = suffix
        self._labels = frozenset(labels)
        self._entities = strict_entities if strict else lenient_entities
        letters = _STRICT_LETTERS if strict else _LENIENT_LETTERS
        for label in labels:
            if label not in ("O", UNKNOWN_TAG) and _split(label, suffix)[0] not in letters:
                shape = "PER-B with suffix tags" if suffix else "B-PER with prefix tags"
                raise ValueError(
                    f"label {label!r} is not O or a tag with one of the letters {letters}, such as {shape}"
                )
        self._types = self._types_of(label for label in labels if label != UNKNOWN_TAG)
        counted = dict.fromkeys((*self._types, *self._types_of(labels)))  # that of UNK last, in lenient mode
        self._index = {kind: number for number, kind in enumerate(counted)}
        for name in ("correct", "predicted", "actual"):
            self.add_state(name, default=torch.zeros(len(self._index), dtype=torch.long), dist_reduce_fx="sum")

    def update(self, predictions: Sequence[Sequence[str]], targets: Sequence[Sequence[str]]) -> None:
        """Count the entities of some sentences; entities never join across sentences.

        Args:
            predictions: predicted tags, one list a sentence.
            targets: true tags, equally many a sentence.

        Raises:
            ValueError: the numbers of sentences or of tags differ, or a tag is not among the labels.
        """
        if len(predictions) != len(targets):
            raise ValueError(f"{len(predictions)} predicted sentences for {len(targets)} true ones")
        guessed: list[Entity] = []
        annotated: list[Entity] = []
        shared: list[Entity] = []
        for number, (predicted, actual) in enumerate(zip(predictions, targets, strict=True)):
            if len(predicted) != len(actual):
                raise ValueError(f"sentence {number}: {len(predicted)} predicted tags for {len(actual)} true ones")
            unknown = {*predicted, *actual} - self._labels
            if unknown:
                raise ValueError(f"sentence {number}: tags {sorted(unknown)} are not among the labels of this metric")
            guesses = set(self._entities(predicted, self.suffix))
            answers = set(self._entities(actual, self.suffix))
            guessed += guesses
            annotated += answers
            shared += guesses & answers
        self.predicted += self._count(guessed)
        self.actual += self._count(annotated)
        self.correct += self._count(shared)

    def compute(self) -> dict[str, Tensor]:
        """``precision``, ``recall``, ``f1`` over all types, and ``f1_TYPE`` of each type (UNK has none of its own)."""
        predicted, actual, correct = (counts.sum() for counts in (self.predicted, self.actual, self.correct))
        scores = {
            "precision": _ratio(correct, predicted),
            "recall": _ratio(correct, actual),
            "f1": _ratio(2 * correct, predicted + actual),
        }
        per_type = _ratio(2 * self.correct, self.predicted + self.actual)
        return scores | {f"f1_{kind}": per_type[self._index[kind]] for kind in self._types}

    def _count(self, entities: Sequence[Entity]) -> Tensor:
        """Number of entities of each counted type."""
        numbers = torch.tensor([self._index[entity.type] for entity in entities], dtype=torch.long)
        return torch.bincount(numbers, minlength=len(self._index)).to(self.correct.device)

    def _types_of(self, labels: Iterable[str]) -> tuple[str, ...]:
        """The type of the entity that each label makes on its own (opened by B), without repetition."""
        alone = []
        for label in labels:
            letter, _ = _split(label, self.suffix)
            opened = label if letter != "I" else f"{label[:-1]}B" if self.suffix else f"B{label[1:]}"
            alone += self._entities([opened], self.suffix)
        return tuple(dict.fromkeys(entity.type for entity in alone))


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Element-wise quotient in double precision; 0 where the denominator is 0."""
    return numerator.double() / denominator.clamp(min=1)
