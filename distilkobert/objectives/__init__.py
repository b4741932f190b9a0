"""Objectives: terms of a weighted sum that a student is trained on."""

from distilkobert.objectives.attention_transfer import AttentionTransfer
from distilkobert.objectives.base import Objective
from distilkobert.objectives.contract.layer_maps import LayerMap
from distilkobert.objectives.contract.needs import Needs, NetworkFacts
from distilkobert.objectives.contract.outputs import Batch, Outputs
from distilkobert.objectives.contract.schedules import LinearSchedule, Scheduled
from distilkobert.objectives.hidden_cosine import HiddenCosine
from distilkobert.objectives.hidden_mse import HiddenMSE
from distilkobert.objectives.logits_mse import LogitsMSE
from distilkobert.objectives.masked_lm import MaskedLM
from distilkobert.objectives.relation_transfer import RelationTransfer
from distilkobert.objectives.sentence_vectors import SentenceVectors
from distilkobert.objectives.soft_targets import SoftTargets
from distilkobert.objectives.weighted_sum import Loss, WeightedSum

__all__ = [
    "AttentionTransfer",
    "Batch",
    "HiddenCosine",
    "HiddenMSE",
    "LayerMap",
    "LinearSchedule",
    "LogitsMSE",
    "Loss",
    "MaskedLM",
    "Needs",
    "NetworkFacts",
    "Objective",
    "Outputs",
    "RelationTransfer",
    "Scheduled",
    "SentenceVectors",
    "SoftTargets",
    "WeightedSum",
]
