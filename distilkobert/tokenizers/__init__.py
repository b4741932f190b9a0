"""From text to token ids: KoBERT's exact tokenizer, fast tokenizers of transformers, training, transfer, trimming."""

from distilkobert.tokenizers.fast import FastEncoder
from distilkobert.tokenizers.framing import Frame
from distilkobert.tokenizers.kobert import KoBertTokenizer
from distilkobert.tokenizers.loading import TextEncoder, load_tokenizer

__all__ = ["FastEncoder", "Frame", "KoBertTokenizer", "TextEncoder", "load_tokenizer"]
