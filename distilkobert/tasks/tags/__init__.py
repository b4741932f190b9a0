"""Tagged sentences: label sets, ways to write tags, and tags on words, characters and pieces."""
