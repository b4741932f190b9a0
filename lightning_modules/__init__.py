"""LightningModules: wiring and logging only; the computing is in `distilkobert`."""

from lightning_modules.distillation import Distillation
from lightning_modules.masked_language_modeling import MaskedLanguageModeling
from lightning_modules.question_answering import QuestionAnswering
from lightning_modules.sequence_classification import SequenceClassification
from lightning_modules.sequence_regression import SequenceRegression
from lightning_modules.task_distillation import TaskDistillation
from lightning_modules.token_classification import TokenClassification

__all__ = [
    "Distillation",
    "MaskedLanguageModeling",
    "QuestionAnswering",
    "SequenceClassification",
    "SequenceRegression",
    "TaskDistillation",
    "TokenClassification",
]
