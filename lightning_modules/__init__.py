"""LightningModules: wiring and logging only; the computing is in `distilkobert`."""

from lightning_modules.answering import QuestionAnswering
from lightning_modules.classification import SequenceClassification
from lightning_modules.distillation import Distillation
from lightning_modules.pretraining import MaskedLanguageModeling
from lightning_modules.tagging import TokenClassification

__all__ = [
    "Distillation",
    "MaskedLanguageModeling",
    "QuestionAnswering",
    "SequenceClassification",
    "TokenClassification",
]
