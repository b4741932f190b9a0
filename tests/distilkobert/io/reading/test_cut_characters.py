"""Text in UTF-8 that was cut by bytes is not taken for text in another encoding."""

from pathlib import Path

import pytest

from distilkobert.io.reading.text_blocks import read_blocks
from distilkobert.io.reading.texts import read_lines

_TEXT = "첫째 줄\n둘째 줄"


@pytest.mark.parametrize("cut", [1, 2])
@pytest.mark.parametrize("begin", ["", "a,b\n", "첫째 줄\n둘째 "])
def test_a_file_that_ends_inside_a_character_is_to_be_copied_again(tmp_path: Path, begin: str, cut: int) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(f"{begin}줄".encode()[:-cut])
    line = begin.count("\n") + 1
    expected = rf"a\.txt, line {line}: not UTF-8 \(byte 0xec .*cut off.*; copy the file again(?!.*iconv)"
    with pytest.raises(ValueError, match=expected):
        list(read_lines(path))
    with pytest.raises(ValueError, match=expected):
        [block.texts() for block, _ in read_blocks(path, lambda: 10, None, None, None)]


def test_a_field_that_is_cut_by_bytes_is_to_be_corrected(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id,글\n1,".encode() + "좋은 영화".encode()[:-1] + b",1\n")
    with pytest.raises(ValueError, match=r"line 2: not UTF-8 .*cut off or damaged.*correct the line(?!.*iconv)"):
        list(read_lines(path))


def test_another_encoding_is_still_to_be_converted(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(_TEXT.encode("cp949"))
    with pytest.raises(ValueError, match="iconv -f CP949"):
        list(read_lines(path))
