"""Damaged Parquet files are named."""

import random
from pathlib import Path

from distilkobert.io.reading.texts import read_texts
from tests.distilkobert.io.reading.test_texts import parquet


def test_damaged_parquet_files_are_named(tmp_path: Path) -> None:
    """Bits and blocks changed at random: all texts, or an error that names the file; 300 files."""
    whole, draw, refused = parquet([f"{number} 가나다라" for number in range(300)]), random.Random(0), 0
    path = tmp_path / "a.parquet"
    for trial in range(300):
        content = bytearray(whole)
        for _ in range((1, 8, 64)[trial % 3]):
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        if trial % 5 == 0:
            first = draw.randrange(len(content))
            content[first : first + 100] = bytes(len(content[first : first + 100]))
        path.write_bytes(content)
        said = str(path)
        try:
            assert all(isinstance(text, str) for text in read_texts(path, "text"))
        except ValueError as error:
            said, refused = str(error), refused + 1
        assert said.startswith(str(path)), said
    assert refused > 150
