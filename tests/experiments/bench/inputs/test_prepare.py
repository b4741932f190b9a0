"""The benchmark of preparing prepares the same lines each time, and the page says what it found."""

import json
from pathlib import Path

import pytest

from experiments.bench.__main__ import main
from experiments.bench.inputs import prepare
from experiments.bench.page import page
from tests.support.tokenizers.sentences import SENTENCES
from tests.world import read_json


def measured(text: Path, tokenizer: Path, output: Path, *more: str) -> int:
    return main(["prepare", "--input", str(text), "--tokenizer", str(tokenizer), "--json", str(output), *more])


@pytest.mark.slow
def test_one_process_and_two_in_turns(tmp_path: Path, tiny_tokenizer_dir: Path, capsys) -> None:
    text, output = tmp_path / "a.txt", tmp_path / "prepare.json"
    text.write_text("\n".join(SENTENCES * 50), encoding="utf-8")
    assert measured(text, tiny_tokenizer_dir, output, "--rounds", "1") == 0
    printed = capsys.readouterr().out
    assert f"{50 * len(SENTENCES):,} lines" in printed
    assert "one process: " in printed
    numbers = read_json(output)
    assert set(numbers["ways"]) == {"one process", "2 processes"}
    assert numbers["ways"]["one process"]["times_faster_than_one process"] == [1.0, 1.0, 1.0]
    assert all(peak > 50 for peak in numbers["peak_mb"].values())
    (alone, none), (reading, encoding) = (numbers["processor_s"][way] for way in ("one process", "2 processes"))
    assert none == 0 < min(alone, reading, encoding)
    assert "| 2 processes | " in page(tmp_path)


def test_ways_are_compared_with_the_first(tmp_path: Path, tiny_tokenizer_dir: Path, monkeypatch, capsys) -> None:
    """Seconds are made up: 8, 8, 6 alone, 4, 2, 4 in company; a round before them is not counted."""
    text, output = tmp_path / "a.txt", tmp_path / "prepare.json"
    text.write_text("\n".join(SENTENCES), encoding="utf-8")
    seconds = {1: iter([99.0, 8.0, 8.0, 6.0]), 2: iter([99.0, 4.0, 2.0, 4.0])}

    def made_up(work):
        class Result:
            result = prepare.Preparation(next(seconds[work.args[3]]), 120, 1.5, work.args[3] - 1.0)
            peak_mb = 70.0 + work.args[3]

        return Result

    monkeypatch.setattr(prepare, "in_fresh_process", made_up)
    assert measured(text, tiny_tokenizer_dir, output) == 0
    assert (
        "2 processes: 4.0 [3.0, 4.0] s, 30 lines/s, 2.00 [1.75, 3.00] times as fast as one process, 72 MB; "
        "processor time 1.50 s, of processes that encode 1.00 s"
    ) in capsys.readouterr().out
    assert json.loads(output.read_text())["peak_mb"] == {"one process": 71.0, "2 processes": 72.0}
    assert measured(text, tiny_tokenizer_dir, output, "--num_proc", "2", "2") == 2
    assert "num_proc is [2, 2]; expected different numbers of processes" in capsys.readouterr().err
