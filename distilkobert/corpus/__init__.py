"""The pretraining corpus: text files to token sequences, the memory-mapped store, and masking."""
