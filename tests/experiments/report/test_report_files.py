"""The files of a report: equal for equal runs, nothing of an earlier one beside them, all of them or none."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.report.__main__ import main
from tests.support.report_world import distilled


def test_a_figure_of_an_earlier_page_of_results_does_not_stay(tmp_path: Path) -> None:
    folder, page = distilled(tmp_path / "runs"), tmp_path / "results.md"
    (tmp_path / "results_retention_size.svg").write_text("<svg/>")
    assert main([str(folder), "--results", str(page)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.md", "runs"]
    assert ".svg" not in page.read_text(encoding="utf-8")


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_equal_runs_give_equal_files(tmp_path: Path) -> None:
    folder = distilled(tmp_path / "runs")
    for name in ("once", "again"):
        assert main([str(folder), "--output", str(tmp_path / name)]) == 0
    assert contents(tmp_path / "once") == contents(tmp_path / "again")
    assert Path("figures/curves.pdf") in contents(tmp_path / "once")


def test_disk_full_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    folder = distilled(tmp_path / "runs")
    assert main([str(folder)]) == 0
    before = contents(folder)
    write: Callable[[Path, bytes], int] = Path.write_bytes

    def fails_late(path: Path, content: bytes) -> int:
        if path.name == "published.tex":
            write(path, content[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", fails_late)
    assert main([str(folder)]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"error: {folder / 'report'}: the report (")
    assert "No space left on device" in message
    assert "An earlier report is as it was; free some space" in message
    assert contents(folder) == before
