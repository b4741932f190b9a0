"""Texts and pairs of texts with classes, any number of labels, or a score."""
