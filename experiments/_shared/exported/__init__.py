"""Exported models: their forms, and how long each takes for a sentence."""
