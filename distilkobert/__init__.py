"""Plain torch, transformers and sentencepiece pieces of KoBERT distillation; this package never imports Lightning."""

from distilkobert.tokenizers.kobert import KoBertTokenizer

__all__ = ["KoBertTokenizer"]
