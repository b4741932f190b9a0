"""The checkpoints of a run: the best, and the last to resume from."""
