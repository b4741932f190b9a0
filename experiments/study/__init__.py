"""What `experiments.study` is made of: read the file, expand it to runs, keep the book, run what is missing."""
