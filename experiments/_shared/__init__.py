"""What commands share: the parser, the trainer's command line, checks before the start, and the run folder."""
