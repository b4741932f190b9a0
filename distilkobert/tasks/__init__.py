"""The subtasks: files, splits, features, and the way from a network's output back to an answer."""
