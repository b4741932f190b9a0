"""The files of a task: where they are, and which part comes from which."""
