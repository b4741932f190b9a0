"""A study goes on in a copy of its results that has neither weights nor corpus."""

import shutil

import pytest

from tests.support.studies.bench import Bench, bench
from tests.support.studies.texts import FULL, TAUGHT

__all__ = ["bench"]


def without_weights(bench: Bench) -> None:
    """Leave what an archive of results keeps."""
    for path in (*bench.folder.glob("*/*/checkpoints"), bench.folder / "exported", bench.folder / "corpus"):
        shutil.rmtree(path, ignore_errors=True)


def test_a_copy_without_weights_is_whole(bench: Bench) -> None:
    bench.run(text=FULL)
    table, trace = bench.metrics(), bench.trace()
    without_weights(bench)
    bench.run(text=FULL)
    assert (bench.metrics(), bench.trace()) == (table, trace)
    assert not (bench.folder / "corpus").exists()


def test_a_copy_without_weights_makes_again_what_a_new_run_reads(bench: Bench) -> None:
    bench.run(text=FULL)
    table = bench.metrics()
    without_weights(bench)
    shutil.rmtree(bench.folder / "nsmc" / "random_seed1")
    before = len(bench.trace())
    bench.run(text=FULL)
    assert bench.metrics() == table
    again = ["teacher/teacher_seed1", "distil/random_seed1", "nsmc/random_seed1"]
    assert [line.split()[1] for line in bench.trace()[before:] if line.startswith("end ")] == again
    assert (bench.folder / "corpus").is_dir()


def test_a_copy_without_weights_fine_tunes_again_a_teacher_that_a_new_run_learns_from(bench: Bench) -> None:
    bench.run(text=TAUGHT)
    without_weights(bench)
    shutil.rmtree(bench.folder / "nsmc" / "copied+task_distil_seed1")
    before = len(bench.trace())
    bench.run(text=TAUGHT)
    again = [line.split()[1] for line in bench.trace()[before:] if line.startswith("end ")]
    assert sorted(again) == sorted(
        f"{stage}_seed1" for stage in ("teacher/teacher", "distil/copied", "nsmc/teacher", "nsmc/copied+task_distil")
    )
    before = len(bench.trace())
    without_weights(bench)
    bench.run(text=TAUGHT)
    assert bench.trace()[before:] == []


def test_a_restart_leaves_the_corpus_of_an_unfinished_run_alone(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.run(text=FULL)
    mark = bench.folder / "corpus" / "corpus_seed1" / "mark"
    mark.touch()
    shutil.rmtree(bench.folder / "distil" / "random_seed1")
    bench.run(text=FULL)
    assert mark.is_file()
    assert "corpus_seed1 had finished" not in capsys.readouterr().out
