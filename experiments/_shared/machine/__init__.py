"""The machine: its processor, what it can do, and what a piece of work needs of it."""
