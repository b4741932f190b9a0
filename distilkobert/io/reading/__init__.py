"""Input files: which ones a pattern means, here or behind an address, and the text and rows in them."""
