"""Korean writing: Hangul syllables and particles."""
