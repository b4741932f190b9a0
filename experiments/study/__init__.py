"""What `experiments.study` is made of: read the file, expand it to runs, keep the journal, run what is missing."""
