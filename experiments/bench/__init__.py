"""See `python -m experiments.bench --help`."""
