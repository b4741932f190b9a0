"""The task kinds, one record each.

Facts that differ from one kind to another are read from here: the head in transformers, the scores, and the code that
encodes and decodes. A new kind is a record in `KINDS`, its name in `TaskName`, its codec, and a LightningModule; one of
your own, outside the package, is given to `add_kind`. This file imports nothing heavy, so that commands start fast.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

if TYPE_CHECKING:
    from distilkobert.tasks.codec import Codec

TaskName = Literal[
    "sequence_classification",
    "multi_label_classification",
    "sequence_regression",
    "token_classification",
    "question_answering",
]
"""Name of a task kind of the package."""

Task: TypeAlias = str
"""Name of a head, as checkpoints keep it: a task kind, `masked_lm`, or `encoder`, which has neither head nor pooler."""


@dataclass(frozen=True)
class Head:
    """A head that a network may have.

    Args:
        name: in checkpoints.
        ending: of its class names in transformers: `BertFor<ending>`, `AutoModelFor<ending>`; empty for the encoder.
        pipeline: its name on the Hugging Face hub.
        problem_type: distinguishes heads of one class in a model's config.json; None where the class does.
    """

    name: Task
    ending: str
    pipeline: str
    problem_type: str | None = field(default=None, kw_only=True)

    @property
    def auto_class(self) -> Any:
        """The class of transformers that loads any model with this head."""
        import transformers

        return getattr(transformers, f"AutoModelFor{self.ending}" if self.ending else "AutoModel")


@dataclass(frozen=True)
class Score:
    """A score on dev and test examples.

    Args:
        key: its name after `val/` and `test/`.
        title: its name in tables, and in a codec's `counts`.
        scale: factor that makes it per cent.
        main: it is the one where a single number is wanted, such as the choice of the best checkpoint.
        mode: whether more or less of it is better.
        minor: it gets a column in tables only where checkpoints were chosen by it.
    """

    key: str
    title: str
    scale: float
    main: bool = True
    mode: Literal["max", "min"] = "max"
    minor: bool = False


@dataclass(frozen=True)
class TaskKind(Head):
    """A kind of task.

    Args:
        scores: what it is scored by; exactly one is the main one.
        has_labels: the classes of the head have names.
        sample: an input for the code in a model card.
        load_codec: imports and gives the class that encodes texts and decodes outputs.
    """

    scores: tuple[Score, ...]
    has_labels: bool
    sample: str
    load_codec: Callable[[], "type[Codec]"] = field(repr=False)

    @property
    def main_score(self) -> Score:
        """The score where one is wanted."""
        return next(score for score in self.scores if score.main)


def _codec(module: str, name: str) -> "Callable[[], type[Codec]]":
    """Loads a codec on demand: the commands that only name kinds start without torch."""
    return lambda: cast("type[Codec]", getattr(import_module(f"distilkobert.tasks.{module}"), name))


MASKED_LM: Final = Head("masked_lm", "MaskedLM", "fill-mask")
ENCODER: Final = Head("encoder", "", "feature-extraction")

SEQUENCE_CLASSIFICATION: Final = TaskKind(
    "sequence_classification",
    "SequenceClassification",
    "text-classification",
    scores=(
        Score("accuracy", "accuracy", 100.0),
        Score("macro_f1", "macro F1", 100.0, main=False, minor=True),
        Score("mcc", "MCC", 100.0, main=False, minor=True),
    ),
    has_labels=True,
    sample="정말 재미있는 영화였다",
    load_codec=_codec("texts.classification", "ClassificationCodec"),
)
MULTI_LABEL_CLASSIFICATION: Final = TaskKind(
    "multi_label_classification",
    "SequenceClassification",
    "text-classification",
    problem_type="multi_label_classification",
    scores=(
        Score("micro_f1", "micro F1", 100.0),
        Score("macro_f1", "macro F1", 100.0, main=False),
        Score("exact_match", "exact match", 100.0, main=False),
    ),
    has_labels=True,
    sample="정말 재미있는 영화였다",
    load_codec=_codec("texts.classification", "MultiLabelCodec"),
)
SEQUENCE_REGRESSION: Final = TaskKind(
    "sequence_regression",
    "SequenceClassification",
    "text-classification",
    problem_type="regression",
    scores=(Score("pearson", "Pearson", 100.0, main=False), Score("spearman", "Spearman", 100.0)),
    has_labels=False,
    sample="비행기가 이륙하고 있다.",
    load_codec=_codec("texts.classification", "RegressionCodec"),
)
TOKEN_CLASSIFICATION: Final = TaskKind(
    "token_classification",
    "TokenClassification",
    "token-classification",
    scores=(Score("f1", "F1", 100.0),),
    has_labels=True,
    sample="김민수는 어제 부산에 갔다.",
    load_codec=_codec("tags.tagging", "TaggingCodec"),
)
QUESTION_ANSWERING: Final = TaskKind(
    "question_answering",
    "QuestionAnswering",
    "question-answering",
    # KorQuAD's official scores are in per cent already; F1 is the one that the particles after an answer do not decide.
    scores=(
        Score("exact_match", "EM", 1.0, main=False),
        Score("f1", "F1", 1.0),
        Score("rouge_w", "ROUGE-W", 1.0, main=False, minor=True),
    ),
    has_labels=False,
    sample="누가 그렸나?\t이 그림은 김홍도가 그렸다.",
    load_codec=_codec("questions.answering", "AnsweringCodec"),
)

KINDS: Final = [
    SEQUENCE_CLASSIFICATION,
    MULTI_LABEL_CLASSIFICATION,
    SEQUENCE_REGRESSION,
    TOKEN_CLASSIFICATION,
    QUESTION_ANSWERING,
]


def add_kind(kind: TaskKind) -> None:
    """Register your own task kind for checkpoints, reports and `predict`; call it in the file of its module.

    Raises:
        ValueError: there is a head of that name, or not exactly one of its scores is the main one.
    """
    if kind.name in [head.name for head in _heads()]:
        raise ValueError(f"the task kind or head '{kind.name}' already exists; use another name")
    if sum(score.main for score in kind.scores) != 1:
        raise ValueError(f"task kind '{kind.name}': exactly one of its scores must be the main one")
    KINDS.append(kind)


def _heads() -> tuple[Head, ...]:
    return (MASKED_LM, *KINDS, ENCODER)


def head_named(name: str) -> Head:
    """The head of that name.

    Raises:
        ValueError: there is none; names those there are.
    """
    found = next((head for head in _heads() if head.name == name), None)
    if found is None:
        raise ValueError(f"unknown head '{name}', expected one of {', '.join(head.name for head in _heads())}")
    return found


def kind_named(name: str) -> TaskKind:
    """The task kind of that name.

    Raises:
        ValueError: there is none; names those there are.
    """
    found = next((kind for kind in KINDS if kind.name == name), None)
    if found is None:
        raise ValueError(f"'{name}' is not a task; expected one of {', '.join(kind.name for kind in KINDS)}")
    return found


def head_of_class(name: str, problem_type: str | None = None, classes: int | None = None) -> Head | None:
    """The head of a model class of transformers, None where it has none of these.

    Args:
        name: such as `BertForMaskedLM`.
        problem_type: what the model's configuration says, as transformers has it.
        classes: outputs of the head; a single one is a score where `problem_type` is not said, as in transformers.
    """
    if problem_type is None and classes == 1:
        problem_type = SEQUENCE_REGRESSION.problem_type
    found = [head for head in (MASKED_LM, *KINDS) if name.endswith(f"For{head.ending}")]
    return next((head for head in found if head.problem_type == problem_type), found[0] if found else None)


def kind_of_scores(keys: Iterable[str]) -> TaskKind | None:
    """The task kind whose scores are all among `keys`, minor ones left out; None where there is none.

    Args:
        keys: names of scores, without `test/`.
    """
    there = set(keys)
    found = [kind for kind in KINDS if there.issuperset(score.key for score in kind.scores if not score.minor)]
    return max(found, key=lambda kind: len(kind.scores), default=None)
