"""What is not a checkpoint is refused before anything is written."""

from pathlib import Path

import pytest

from experiments.export.__main__ import export


def test_an_exported_folder_is_not_exported_again(tmp_path: Path) -> None:
    (tmp_path / "student").mkdir()
    (tmp_path / "student" / "config.json").write_text("{}")
    with pytest.raises(
        ValueError, match=r"student: is an exported folder already; expected a checkpoint file \*\.ckpt"
    ):
        export(str(tmp_path / "student"), str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
