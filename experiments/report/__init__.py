"""What `experiments.report` is made of: read runs, score them, draw, write."""
