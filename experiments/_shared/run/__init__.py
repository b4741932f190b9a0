"""The folder of a run: its name, its results, and a run that is taken up again."""
