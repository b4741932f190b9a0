"""LightningDataModules: files to batches, safe under DDP, without knowledge of models."""

from datamodules.corpus import CorpusDataModule
from datamodules.klue_ner import KlueNERDataModule
from datamodules.korquad import KorQuADDataModule
from datamodules.naver_ner import NaverNERDataModule
from datamodules.nsmc import NSMCDataModule
from datamodules.questions import QuestionAnsweringDataModule
from datamodules.table import TableDataModule
from datamodules.tagging import TaggingDataModule

__all__ = [
    "CorpusDataModule",
    "KlueNERDataModule",
    "KorQuADDataModule",
    "NSMCDataModule",
    "NaverNERDataModule",
    "QuestionAnsweringDataModule",
    "TableDataModule",
    "TaggingDataModule",
]
