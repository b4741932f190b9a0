"""The commands: every file or package here, `_shared` excepted, is one (`python -m experiments.NAME`)."""
