"""How benchmarks measure: in turns, with a number of threads."""
