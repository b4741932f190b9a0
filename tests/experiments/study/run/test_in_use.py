"""A worker beside somebody who has started a run of the study by hand."""

from pathlib import Path

import pytest

from distilkobert.io.locks import InUseError
from experiments.study.run.unfinished import UnfinishedWork
from tests.support.studies.bench import Bench, bench

__all__ = ["bench"]


def test_a_run_in_use_waits_and_the_others_run(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody has started a run by hand, without a checkpoint yet; the worker takes it when that has ended."""
    folder, asked = bench.folder / "distil" / "copied_seed1", list[Path]()
    bench.run("--only=[teacher/*]")
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("[]", encoding="utf-8")
    clear = UnfinishedWork.clear

    def refusing(self: UnfinishedWork) -> None:
        if folder in self.remove and len(asked) < 3:
            asked.append(folder)
            raise InUseError("the run folder is in use by process 1")
        clear(self)

    monkeypatch.setattr(UnfinishedWork, "clear", refusing)
    bench.run()
    assert len(asked) == 3
    assert set(bench.ends()) == {label for label in bench.labels() if label.count("/") == 1}
    assert capsys.readouterr().out.count("distil/copied_seed1 waits: the run folder is in use by process 1") == 1
