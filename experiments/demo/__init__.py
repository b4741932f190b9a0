"""See `python -m experiments.demo --help`."""
