"""Plain torch, transformers and sentencepiece pieces of KoBERT distillation; this package never imports Lightning."""
