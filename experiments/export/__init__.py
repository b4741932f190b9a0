"""See `python -m experiments.export --help`."""
