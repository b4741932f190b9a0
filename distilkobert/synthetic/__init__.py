"""A synthetic Korean-like language with tasks, for the demo and for tests."""
