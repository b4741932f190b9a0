"""Plain torch, transformers and sentencepiece pieces of KoBERT distillation; this package never imports Lightning."""

from distilkobert.tokenization import KoBertTokenizer

__all__ = ["KoBertTokenizer"]
