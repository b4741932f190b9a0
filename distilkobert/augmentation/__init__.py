"""More training text by a masked language model's proposals for single words (Jiao et al. 2020, TinyBERT)."""
