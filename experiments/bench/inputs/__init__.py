"""Benchmarks of what is done before training: corpora, batches, windows."""
