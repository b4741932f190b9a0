"""What a student is trained on: one term for each thing that it learns."""
