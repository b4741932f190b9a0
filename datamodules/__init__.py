"""LightningDataModules: files to batches, safe under DDP, without knowledge of models."""

from datamodules.corpus import CorpusDataModule

__all__ = ["CorpusDataModule"]
