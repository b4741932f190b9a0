"""A tokenizer for tests that need no vocabulary: words in chunks, with lone word-start marks as KoBERT makes them."""

from distilkobert.tokenizers.inputs import Encoding

MARK = 1


def encode(text: str) -> Encoding:
    """Chunks of two characters of every white-space word, a chunk's id being its code points' sum.

    A word whose first character has an odd code point gets a lone mark (id 1, empty span) before its first chunk.
    """
    ids, spans = [], []
    start = 0
    while start < len(text):
        if text[start].isspace():
            start += 1
            continue
        end = start
        while end < len(text) and not text[end].isspace():
            end += 1
        if ord(text[start]) % 2:
            ids.append(MARK)
            spans.append((start, start))
        for first in range(start, end, 2):
            last = min(first + 2, end)
            ids.append(sum(map(ord, text[first:last])))
            spans.append((first, last))
        start = end
    return ids, spans


def tokenize(text: str) -> list[str]:
    """The same chunks as strings, the word-start mark in front of a word or on its own."""
    pieces = []
    for start, end in encode(text)[1]:
        if start == end:
            pieces.append("▁")
        elif (start == 0 or text[start - 1].isspace()) and pieces[-1:] != ["▁"]:
            pieces.append("▁" + text[start:end])
        else:
            pieces.append(text[start:end])
    return pieces
