"""Trainer callbacks, one purpose each."""
