"""A model and its vocabulary: whether it fits a tokenizer, and another one in its place."""
