"""KoBERT's exact tokenizer: its files, its steps, and the same as a fast tokenizer of transformers."""

from distilkobert.tokenizers.kobert.tokenizer import KoBertTokenizer

__all__ = ["KoBertTokenizer"]
