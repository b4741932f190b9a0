"""Benchmarks of what a user waits for: models that answer, commands that start."""
