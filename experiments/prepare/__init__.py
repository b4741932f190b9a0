"""See `python -m experiments.prepare --help`."""
