"""Readers of the data sets' files, line by line, with errors that name file and line."""
