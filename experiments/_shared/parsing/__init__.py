"""How a command line is read, and what is said where it cannot be."""
