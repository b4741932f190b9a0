"""A journal that is another study's, broken, or cut off: refused by name, or mended."""

import json
import multiprocessing
from pathlib import Path

import optuna
import pytest

from experiments.study.run.journal import open_storage
from experiments.study.run.trials import RunJournal
from tests.support.studies.bench import Bench, bench

__all__ = ["bench"]

HALF = b'{"op_code": 6, "tri'
FIX = r"Move the file away and start the study again"


def _enter(folder: Path) -> None:
    RunJournal(open_storage(folder), "s").enter({}, ["distil/c_seed1"], retry=False)


def test_a_journal_of_another_study_is_refused(bench: Bench) -> None:
    bench.run()
    (bench.root / "runs" / "other").mkdir()
    (bench.root / "runs" / "other" / "journal.log").write_bytes((bench.folder / "journal.log").read_bytes())
    with pytest.raises(ValueError, match=r"journal.log is that of the study 's', not of 'other'"):
        bench.run("--name=other")
    (bench.folder / "plan.json").unlink()
    with pytest.raises(ValueError, match=r"declared otherwise: teacher/teacher_seed1 had .*'--x=1'"):
        bench.run("--teacher.overrides=[--x=1]")


def test_a_study_of_the_same_name_that_is_not_ours_is_refused(bench: Bench) -> None:
    bench.folder.mkdir(parents=True)
    other = optuna.create_study(storage=open_storage(bench.folder), study_name="s")
    other.enqueue_trial({"x": 1})
    with pytest.raises(
        ValueError, match=r"journal.log holds a study 's' .*its trial 0 names no run. Move the file away"
    ):
        bench.run()
    assert not bench.trace()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"not json\n", r"line 3 is not an entry of Optuna: 'not json'"),
        (b"\xff\xfe\n", r"line 3 is not an entry"),
        (b"[1]\n", r"line 3 is not an entry of Optuna: '\[1\]'"),
        (HALF + b'{"op_code": 6}\n', r"line 3 is not an entry"),
        (b'{"op_code": 99, "worker_id": "w"}\n', r"Optuna cannot replay it \(AssertionError"),
        (b'{"op_code": 0, "worker_id": "w"}\n', r"Optuna cannot replay it \(KeyError: 'study_name'\)"),
    ],
)
@pytest.mark.parametrize("place", [2, None])
def test_a_broken_journal_is_named(line: bytes, message: str, place: int | None, tmp_path: Path) -> None:
    _enter(tmp_path)
    journal = tmp_path / "journal.log"
    lines = journal.read_bytes().splitlines(keepends=True)
    before = lines[:place]
    journal.write_bytes(b"".join([*before, line, *lines[len(before) :]]))
    message = message.replace("line 3", f"line {len(before) + 1}")
    with pytest.raises(ValueError, match=rf"{journal}: no readable journal: {message}.*{FIX}"):
        open_storage(tmp_path)


def test_a_broken_journal_may_be_moved_away(bench: Bench) -> None:
    bench.run()
    before, journal = bench.trace(), bench.folder / "journal.log"
    journal.write_bytes(journal.read_bytes() + b"not json\n")
    with pytest.raises(ValueError, match=FIX):
        bench.run()
    journal.rename(bench.root / "away")
    bench.run()
    assert bench.trace() == before  # what is there was found


def test_a_cut_off_line_is_dropped(bench: Bench) -> None:
    bench.run()
    journal = bench.folder / "journal.log"
    whole = journal.read_bytes()
    for half in (HALF, b"\0\0\0", whole[:-1].rpartition(b"\n")[2]):
        journal.write_bytes(whole + half)
        bench.run()
        assert journal.read_bytes().startswith(whole + b'{"op_code":0')
    journal.write_bytes(HALF)
    bench.run()
    assert journal.read_bytes().startswith(b'{"op_code":0')


def test_what_another_worker_left_half_does_not_swallow_the_next_line(tmp_path: Path) -> None:
    """Optuna alone would glue the next entry to it, and lose both."""
    first = RunJournal(open_storage(tmp_path), "s")
    first.enter({}, ["distil/a_seed1"], retry=False)
    with (tmp_path / "journal.log").open("ab") as stream:
        stream.write(HALF)
    assert set(first.entries()) == {"distil/a_seed1"}
    first.enter({}, ["distil/a_seed1", "distil/b_seed1"], retry=False)
    worker = multiprocessing.get_context("spawn").Process(target=_enter, args=(tmp_path,))
    worker.start()
    worker.join(60)
    assert worker.exitcode == 0
    assert set(first.entries()) == {f"distil/{name}_seed1" for name in "abc"}
    for line in (tmp_path / "journal.log").read_bytes().splitlines():
        json.loads(line)
