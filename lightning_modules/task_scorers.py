"""The task's own module, for its loss of true labels, its scores and its records."""

from distilkobert.tasks.input_settings import InputSettings
from distilkobert.tasks.kinds import (
    MULTI_LABEL_CLASSIFICATION,
    QUESTION_ANSWERING,
    SEQUENCE_REGRESSION,
    TOKEN_CLASSIFICATION,
    kind_named,
)
from distilkobert.tasks.task_facts import TaskFacts
from lightning_modules.finetuning import FineTuning
from lightning_modules.question_answering import QuestionAnswering
from lightning_modules.sequence_classification import SequenceClassification
from lightning_modules.sequence_regression import SequenceRegression
from lightning_modules.token_classification import TokenClassification


def scorer_of(facts: TaskFacts, settings: InputSettings | None) -> FineTuning:
    """The module of a task, without a network."""
    kind = kind_named(facts.kind)
    if kind is SEQUENCE_REGRESSION:
        return SequenceRegression("", input_settings=settings)
    if kind is TOKEN_CLASSIFICATION:
        return TokenClassification("", facts.labels, facts.suffix_tags, input_settings=settings)
    if kind is QUESTION_ANSWERING:
        return QuestionAnswering("", rouge_w=facts.rouge_w, input_settings=settings)
    several = kind is MULTI_LABEL_CLASSIFICATION
    return SequenceClassification("", facts.labels, several, facts.class_weights, input_settings=settings)
