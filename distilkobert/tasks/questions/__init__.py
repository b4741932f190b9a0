"""Questions about a context: windows over it, the answer's place in them, and decoding it."""
