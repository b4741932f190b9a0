"""One process for one folder: trainings, prepared folders and downloads that meet refuse the second."""

import os
from pathlib import Path

import pytest

from distilkobert.io.downloads import download
from distilkobert.io.locks import InUseError, only_process
from experiments.prepare.__main__ import main as prepare
from tests.world import Run, World


@pytest.mark.parametrize("command", ["fit", "validate", "predict"])
def test_a_run_that_another_process_has_is_refused(command: str, world: World, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "pretrain" / "base_seed42"
    with only_process(folder / ".lock", "x"):
        with pytest.raises(InUseError, match=rf"the run folder {folder} is in use by process {os.getpid()} on "):
            run(command, world.pretrain(tmp_path))
        assert sorted(path.name for path in folder.iterdir()) == [".lock", ".lock.holder"]


def test_a_corpus_that_another_process_prepares_is_refused(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "corpus"
    args = ["corpus", "--input", str(world.root / "text.txt"), "--tokenizer", str(world.tokenizer), "--min_tokens=5",
             "--output", str(output)]  # fmt: skip
    with only_process(tmp_path / ".corpus.lock", "x"):
        assert prepare(args) == 2
    assert f"the corpus {output} is in use by process {os.getpid()}" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())
    assert prepare(args) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_a_file_that_another_process_downloads_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "train.txt"
    with (
        only_process(tmp_path / ".train.txt.lock", "x"),
        pytest.raises(InUseError, match=rf"the download {target} is in use by process {os.getpid()}"),
    ):
        download("http://127.0.0.1:9/train.txt", target)
    assert not any(tmp_path.iterdir())
