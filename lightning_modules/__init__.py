"""LightningModules: wiring and logging only; the computing is in `distilkobert`."""

from lightning_modules.distillation import Distillation
from lightning_modules.pretraining import MaskedLanguageModeling

__all__ = ["Distillation", "MaskedLanguageModeling"]
