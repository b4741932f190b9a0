"""torchmetrics classes over pure scoring functions."""

from distilkobert.metrics.entities import EntityF1
from distilkobert.metrics.korquad import KorQuadScore

__all__ = ["EntityF1", "KorQuadScore"]
