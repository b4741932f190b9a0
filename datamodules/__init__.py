"""LightningDataModules: files to batches, safe under DDP, without knowledge of models."""
