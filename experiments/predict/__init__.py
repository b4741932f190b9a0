"""See `python -m experiments.predict --help`."""
