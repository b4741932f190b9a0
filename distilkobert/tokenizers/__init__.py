"""From text to token ids: KoBERT's exact tokenizer, fast tokenizers of transformers, training, transfer, trimming."""
