"""Data sets that give whole batches: masked sequences, texts with [MASK], questions, examples of one input."""
