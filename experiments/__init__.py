"""What a researcher starts: every file here is one command, `python -m experiments.NAME`."""
