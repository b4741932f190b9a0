"""`prepare augment`: runs that end early, bad input, and cells that a format cannot hold."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from distilkobert.augmentation.rows import Augmenter
from tests.support.networks.tiny import tiny_teacher
from tests.support.tasks.augment_tables import Run, table

pytest_plugins = ["tests.support.tasks.augment_fixtures"]


def test_a_killed_or_failing_run_leaves_nothing_that_looks_whole(
    augment: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Augmenter.rows

    def stop(how: Callable[[], None]) -> None:
        def some(self: Augmenter, texts: Any) -> Any:
            for number, row in enumerate(rows(self, texts)):
                if number == 20:
                    how()
                yield row

        monkeypatch.setattr(Augmenter, "rows", some)

    def interrupt() -> None:
        raise KeyboardInterrupt

    stop(interrupt)
    assert augment() == 130
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train.csv"]
    stop(lambda: os._exit(9))
    child = os.fork()
    if not child:
        augment()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    left = [path.name for path in tmp_path.iterdir() if path.name != "train.csv"]
    assert all(name.startswith(".more.csv.") and name.endswith(".partial") for name in left)
    monkeypatch.setattr(Augmenter, "rows", rows)
    assert augment() == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--text=없음"], "train.csv, line 1: no column '없음'; the columns are '번호', '글'"),
        (["--probability=0"], "probability is 0; expected more than 0 and at most 1"),
        (["--copies=0"], "copies is 0"),
        (["--batch_size=0"], "batch_size is 0; expected 1 or more"),
        (["--max_length=2"], "max_length is 2; expected 3 or more"),
        (["--change=text_pair"], "the option text_pair is missing"),
        (["--output={folder}/more.csv.gz"], "tables are written uncompressed; remove .gz from"),
        (["--output={folder}/more.xlsx"], "unknown table format '.xlsx'"),
        (["--output={folder}/none/more.csv"], "none does not exist; make it before writing more.csv"),
        (["--output={folder}/train.csv"], "train.csv is also --input; choose another --output"),
        (["--output={folder}/train.csv", "--overwrite"], "train.csv is also --input; choose another --output"),
        (["--input={folder}/blank.csv"], "no text has a word; nothing was written"),
        (["--input={folder}/half.csv", "--text_pair=쌍"], "'쌍' is blank, so half of the pair is missing"),
        (["--model={folder}/bare"], "has no trained masked-LM head (cls.predictions"),
        (["--tokenizer={folder}/nothing"], "nothing"),
        (["--max_pieces=1", "--probability=1e-9"], "none of 72 new rows is another text (72 unchanged)"),
    ],
    ids=lambda value: value[0].split("{")[0] if isinstance(value, list) else "",
)
def test_what_is_refused_leaves_nothing(
    options: list[str], message: str, augment: Run, augment_model: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    table(6).assign(글="...").to_csv(tmp_path / "blank.csv", index=False)
    table(6).assign(쌍=" ").to_csv(tmp_path / "half.csv", index=False)
    tiny_teacher(vocab_size=350, layers=2).bert.save_pretrained(tmp_path / "bare")
    for file in augment_model.iterdir():
        if not file.name.startswith(("config", "model.", "generation")):
            (tmp_path / "bare" / file.name).write_bytes(file.read_bytes())
    before = sorted(path.name for path in tmp_path.iterdir())
    assert augment(*(option.format(folder=tmp_path) for option in options)) == 2
    assert message in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_cell_that_a_format_cannot_hold_is_named(
    augment: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [json.dumps({"글": f"영화를 {n}\n친구와", "감정": [str(n)]}, ensure_ascii=False) for n in range(4)]
    (tmp_path / "own.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert augment(source="own.jsonl", output="more.tsv") == 2
    assert "row 1: the column '글' has '영화를 0\\n친구와', which this format cannot store" in capsys.readouterr().err
    assert augment(source="own.jsonl", output="more.csv") == 2
    assert "the column '감정' has a list; use an output that ends in .jsonl" in capsys.readouterr().err
    for option in ("--delimiter=,", "--quotes=text", "--header=[글]"):
        assert augment(option, source="own.jsonl", output="more.jsonl") == 2
        said = capsys.readouterr().err
        assert "own.jsonl is jsonl: the option is for .csv, .tsv, .txt only. Leave it out, or set " in said, option
    assert augment(source="own.jsonl", output="more.jsonl") == 0
    found = [json.loads(line) for line in (tmp_path / "more.jsonl").read_text(encoding="utf-8").splitlines()]
    assert found[:4] == [json.loads(line) for line in lines]
    assert all("\n" in row["글"] for row in found)


def test_a_file_that_is_named_as_one_to_evaluate_on_is_noted(
    augment: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table().to_csv(tmp_path / "sts-dev.csv", index=False)
    assert augment(source="sts-dev.csv") == 0
    assert "sts-dev.csv looks like a dev or test file" in capsys.readouterr().err
    assert augment("--overwrite") == 0
    assert "looks like" not in capsys.readouterr().err
