"""Frames of zstandard with a window longer than the 128 MiB that its decompressors accept unless asked for more."""

from pathlib import Path

from distilkobert.io.reading.texts import read_lines

WINDOW_LOG = 28
"""As `zstd --long=28` writes it: a window of 256 MiB."""


def frame(content: bytes) -> bytes:
    """A frame of one uncompressed block, by RFC 8878: magic number, no content size, window, header of a last block."""
    window = bytes([(WINDOW_LOG - 10) << 3])
    return b"\x28\xb5\x2f\xfd" + b"\x00" + window + (len(content) << 3 | 1).to_bytes(3, "little") + content


def test_a_long_window_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.zst"
    path.write_bytes(frame("첫째 줄\n둘째 줄\n".encode()))
    assert list(read_lines(path)) == ["첫째 줄", "둘째 줄"]
