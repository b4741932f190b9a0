"""From text to token ids: KoBERT's exact tokenizer, fast tokenizers of transformers, and training one's own."""
