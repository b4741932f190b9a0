"""An exported fine-tuned model answers lines as `test` did on the same texts, from a pipe and from a terminal."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from seqeval.metrics.sequence_labeling import get_entities

from experiments.predict.__main__ import predict
from tests.integration.predict.wide import export_of, fit_and_test, records_of, save_wide
from tests.integration.tasks.world import TASKS, TaskWorld, make_task_world
from tests.world import World, read_json

Record = dict[str, Any]
REFERENCE_WAY = "korquad reference"
FAST = ("nsmc", "korquad")
"""KorQuAD, labelled and answered in the original's way."""


@pytest.fixture(scope="module")
def tasks(world: World, tmp_path_factory: pytest.TempPathFactory) -> TaskWorld:
    root = tmp_path_factory.mktemp("tasks")
    save_wide(root / "wide", "distilbert")
    return make_task_world(world, root)


@pytest.fixture(scope="module")
def finished(tasks: TaskWorld, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Path]]:
    """Run folder and exported folder of a task, made once."""
    made: dict[str, tuple[Path, Path]] = {}

    def get(task: str) -> tuple[Path, Path]:
        if task not in made:
            runs = tmp_path_factory.mktemp("runs")
            kind, _, reference_way = task.partition(" ")
            extra = ["--data.reference_decoding=true"] if reference_way else []
            run_folder = fit_and_test(tasks, kind, runs, f"--model.init_from={tasks.root / 'wide'}", *extra)
            made[task] = run_folder, export_of(run_folder, runs / "exported")
        return made[task]

    return get


def lines_of(task: str, tasks: TaskWorld, stored: list[Record]) -> list[str]:
    """The examples of the test file as lines to ask."""
    if task == "nsmc":
        rows = (tasks.root / task / "ratings_test.txt").read_text(encoding="utf-8").splitlines()[1:]
        return [row.split("\t")[1] for row in rows]
    if task.startswith("korquad"):
        articles = read_json(tasks.root / "korquad" / "KorQuAD_v1.0_dev.json")["data"]
        return [
            f"{question['question']}\t{paragraph['context']}"
            for article in articles
            for paragraph in article["paragraphs"]
            for question in paragraph["qas"]
        ]
    return [(" " if task == "naver_ner" else "").join(record["units"]) for record in stored]


def expected_columns(task: str, record: Record, line: str) -> list[str]:
    """What should be printed for one example, from what `test` stored; probabilities left out."""
    if task == "nsmc":
        return [record["predicted"]]
    if task.startswith("korquad"):
        place = line.split("\t")[1][record["start"] : record["end"]]
        assert place == record["predicted"] or (record["predicted"] in place and task == REFERENCE_WAY)
        return [record["predicted"], f"{record['start']}-{record['end']}"]
    blank = " " if task == "naver_ner" else ""
    starts = [len(blank.join([*record["units"][:number], ""])) for number in range(len(record["units"]))]
    columns = []
    for kind, first, last in get_entities(record["predicted"], suffix=task == "naver_ner"):
        start, end = starts[first], starts[last] + len(record["units"][last])
        columns.append(f"{kind}:{start}-{end}:{line[start:end]}")
    return columns or ["-"]


@pytest.mark.parametrize(
    "task", [pytest.param(t, marks=[] if t in FAST else [pytest.mark.slow]) for t in (*TASKS, REFERENCE_WAY)]
)
def test_an_exported_folder_answers_lines_as_test_did(
    task: str, tasks: TaskWorld, finished: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    run_folder, exported = finished(task)
    stored = records_of(run_folder)
    lines = lines_of(task, tasks, stored)
    expected = [expected_columns(task, record, line) for record, line in zip(stored, lines, strict=True)]
    said = {(str(columns), round(record["probability"], 3)) for columns, record in zip(expected, stored, strict=True)}
    assert len(said) > 5, "the model must say many different things"
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO("\n".join(lines).encode())))
    predict(str(exported), batch_size=7)
    printed = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    if task in ("nsmc", "korquad", REFERENCE_WAY):
        shown = [float(columns.pop()) for columns in printed]
        assert shown == pytest.approx([record["probability"] for record in stored], abs=1e-3)
    assert printed == expected


WINDOWS_949 = "부산\n".encode("cp949")
GOOD_AND_BAD: dict[str, tuple[bytes, str]] = {
    "nsmc": ("재미있다\n".encode() + WINDOWS_949 + "지루하다\n".encode(), "line 2: not UTF-8 (byte 0x"),
    "naver_ner": ("갔다\n".encode() + WINDOWS_949 + "왔다\n".encode(), "line 2: not UTF-8 (byte 0x"),
    "korquad": (
        "누가?\t김민수가 갔다.\n누가 갔나?\n언제?\t어제 갔다.\n".encode(),
        "line 2: found 0 tabs; expected question<TAB>context",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("task", GOOD_AND_BAD)
def test_a_pipe_stops_at_a_bad_line(task: str, finished: Any) -> None:
    content, message = GOOD_AND_BAD[task]
    command = [sys.executable, "-m", "experiments.predict", "--model", str(finished(task)[1])]
    done = subprocess.run(command, input=content, capture_output=True, check=False, timeout=120)
    assert done.returncode == 2
    assert len(done.stdout.decode().splitlines()) == 1
    assert done.stderr.decode().startswith(f"error: {message}")
    assert "Traceback" not in done.stderr.decode()


@pytest.mark.slow
@pytest.mark.parametrize("task", GOOD_AND_BAD)
def test_a_terminal_answers_each_line_and_goes_on_after_a_bad_one(task: str, finished: Any) -> None:
    content, message = GOOD_AND_BAD[task]
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "experiments.predict", "--model", str(finished(task)[1])]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        os.write(ours, content + b"\x04")  # Ctrl-D
        out, errors = (stream.decode() for stream in process.communicate(timeout=120))
    os.close(ours)
    assert process.returncode == 0, errors
    assert len(out.splitlines()) == 2
    invitation, complaint, *unknown = errors.splitlines()
    assert all("unknown to the tokenizer" in line for line in unknown)
    assert "press Enter; end with Ctrl-D" in invitation
    assert complaint.startswith(f"error: {message}")


def test_the_folder_says_what_it_is(finished: Any) -> None:
    _, exported = finished("klue_ner")
    settings = json.loads((exported / "config.json").read_text())
    assert settings["architectures"] == ["DistilBertForTokenClassification"]
    assert settings["id2label"]["0"] == "B-PS"
    assert settings["label2id"]["O"] == 12
