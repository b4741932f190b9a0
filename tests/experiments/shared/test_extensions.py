"""Modules of one's own are imported before a command starts."""

import sys
from pathlib import Path

import pytest

from experiments._shared.commandline import EXTENSIONS, run_command


def test_named_modules_are_imported_before_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first_of_mine", "second_of_mine"):
        (tmp_path / f"{name}.py").write_text("VALUE = 3\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(EXTENSIONS, "first_of_mine, second_of_mine,")
    seen: list[int] = []
    try:
        assert run_command(lambda: seen.append(sys.modules["second_of_mine"].VALUE)) == 0
        assert seen == [3]
        assert "first_of_mine" in sys.modules
    finally:
        for name in ("first_of_mine", "second_of_mine"):
            sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "ModuleNotFoundError: No module named 'none_of_mine'"), ("1 / 0\n", "ZeroDivisionError: division by zero")],
)
def test_one_that_cannot_be_imported_is_named(
    content: str | None,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if content is not None:
        (tmp_path / "none_of_mine.py").write_text(content, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(EXTENSIONS, "none_of_mine")
    assert run_command(lambda: None) == 2
    said = capsys.readouterr().err
    assert f"DISTILKOBERT_IMPORT: cannot import none_of_mine ({message}); the folder of a file" in said
