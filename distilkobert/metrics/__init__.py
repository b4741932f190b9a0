"""torchmetrics classes over pure scoring functions."""

from distilkobert.metrics.agreement import BucketAgreement
from distilkobert.metrics.entities import EntityF1
from distilkobert.metrics.korquad import KorQuadScore
from distilkobert.metrics.layers import LayerSimilarity
from distilkobert.metrics.matthews import MatthewsCorrelation

__all__ = ["BucketAgreement", "EntityF1", "KorQuadScore", "LayerSimilarity", "MatthewsCorrelation"]
