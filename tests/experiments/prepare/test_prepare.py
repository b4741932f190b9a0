"""`python -m experiments.prepare corpus`, from its command line to its folder."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from datasets import load_from_disk

from distilkobert import KoBertTokenizer
from distilkobert.corpus.manifest import differences, read_manifest
from distilkobert.corpus.preparation.prepare import prepare_corpus
from distilkobert.corpus.sequences import CorpusSettings, part_of
from tests.support.corpus_text import LINES, leftovers, prepare, write_text_file


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    return write_text_file(tmp_path)


def test_folder_holds_what_the_lines_say(
    text_file: Path, tmp_path: Path, tiny_tokenizer: KoBertTokenizer, tiny_tokenizer_dir: Path, capsys
) -> None:
    output = tmp_path / "corpus"
    assert prepare(text_file, tiny_tokenizer_dir, output) == 0
    corpus = load_from_disk(str(output))
    expected: dict[str, list[list[int]]] = {"train": [], "validation": []}
    for line in LINES:
        ids = tiny_tokenizer.convert_tokens_to_ids(tiny_tokenizer.tokenize(line))
        expected[part_of(line, 0.1)].append([tiny_tokenizer.cls_token_id, *ids, tiny_tokenizer.sep_token_id])
    for part in ("train", "validation"):
        assert corpus[part]["input_ids"][:] == expected[part]
        assert corpus[part]["length"][:] == [len(ids) for ids in expected[part]]
        assert {field.name: str(field.type) for field in corpus[part].data.schema} == {
            "input_ids": "list<item: uint16>",
            "length": "int32",
        }
    tokens = [token for ids in expected["train"] for token in ids]
    counts = np.load(output / "token_counts.npy")
    assert counts.dtype == np.int64
    assert counts.tolist() == np.bincount(tokens, minlength=tiny_tokenizer.vocab_size).tolist()

    manifest = read_manifest(output)
    assert manifest["lines"] == {
        "read": len(LINES) + 3,
        "kept": len(LINES),
        "dropped": {"empty": 1, "too_short": 2},
        "cut": 0,
        "ends_dropped": 0,
    }
    assert manifest["sequences"] == {part: len(expected[part]) for part in expected}
    assert manifest["tokens"]["train"] == len(tokens)
    assert manifest["longest"]["train"] == max(map(len, expected["train"]))
    assert manifest["tokenizer"] == {"fingerprint": tiny_tokenizer.fingerprint, "vocab_size": tiny_tokenizer.vocab_size}
    pieces = [token for part in expected.values() for ids in part for token in ids[1:-1]]
    assert manifest["unknown_rate"] == pytest.approx(pieces.count(tiny_tokenizer.unk_token_id) / len(pieces))
    assert manifest["inputs"][0]["name"] == "a.txt.xz"
    packages = {"numpy", "pyarrow", "datasets", "sentencepiece", "tokenizers", "transformers"}
    assert set(manifest["versions"]) == {"python", *packages}
    assert str(tmp_path) not in json.dumps(manifest)

    printed = capsys.readouterr().out
    assert "lines/s" in printed
    assert "peak memory" in printed
    assert leftovers(tmp_path) == ["corpus"]


def test_validation_lines_stay_when_the_corpus_grows(tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    stored, held_out = [], []
    for name, lines in (("small", LINES[:60]), ("large", [*LINES[100:], *LINES[:100]])):
        (tmp_path / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8")
        assert prepare(tmp_path / f"{name}.txt", tiny_tokenizer_dir, tmp_path / name) == 0
        stored.append(load_from_disk(str(tmp_path / name)))
        held_out.append({tuple(ids) for ids in stored[-1]["validation"]["input_ids"]})
    assert 0 < len(held_out[0]) < len(held_out[1])
    assert held_out[0] < held_out[1]
    # datasets names its caches by these
    assert len({part._fingerprint for corpus in stored for part in corpus.values()}) == 4


def test_packed_layout(text_file: Path, tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    assert prepare(text_file, tiny_tokenizer_dir, tmp_path / "c", "--layout", "packed", "--max_tokens", "64") == 0
    lengths = load_from_disk(str(tmp_path / "c"))["train"]["length"][:]
    assert set(lengths[:-1]) == {64}
    assert read_manifest(tmp_path / "c")["lines"]["dropped"] == {"empty": 1, "too_short": 0}


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["lines", "packed"])
def test_result_does_not_depend_on_the_number_of_processes(
    tmp_path: Path, tiny_tokenizer_dir: Path, layout: str
) -> None:
    many = tmp_path / "many.txt"
    many.write_text("\n".join(f"{number} {line}" for number in range(30) for line in LINES), encoding="utf-8")
    options = ["--layout", layout, "--max_tokens", "50"]
    for processes in ("1", "2"):
        assert prepare(many, tiny_tokenizer_dir, tmp_path / processes, *options, "--num_proc", processes) == 0
    assert read_manifest(tmp_path / "1") == read_manifest(tmp_path / "2")
    one, two = (load_from_disk(str(tmp_path / processes)) for processes in ("1", "2"))
    assert all(one[part].data.equals(two[part].data) for part in ("train", "validation"))


def test_second_run_finds_its_result(text_file: Path, tmp_path: Path, tiny_tokenizer_dir: Path, capsys) -> None:
    prepare(text_file, tiny_tokenizer_dir, tmp_path / "corpus")
    made = (tmp_path / "corpus" / "manifest.json").stat().st_mtime_ns
    moved = text_file.rename(tmp_path / "b.txt.xz")  # a file that moved is the same file
    assert prepare(moved, tiny_tokenizer_dir, tmp_path / "corpus", "--num_proc", "2") == 0
    assert "already exists" in capsys.readouterr().out
    assert (tmp_path / "corpus" / "manifest.json").stat().st_mtime_ns == made


def test_differences_of_equal_origins_are_none() -> None:
    origin = {"format": 1, "tokenizer": {"fingerprint": "a"}, "inputs": [{"name": "x", "sha256": "1"}], "settings": {}}
    assert differences(origin, origin) == []
    assert differences(origin, {**origin, "format": 2}) == ["format: found 1, requested 2"]


def test_the_command_loads_no_training_library() -> None:
    heavy = {"torch", "transformers", "pytorch_lightning"}
    code = f"import experiments.prepare.__main__, datasets, sys; print({heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


@pytest.mark.slow
@pytest.mark.real_data
def test_real_corpus_in_one_process_stays_under_700_mb(real_data_dir: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "experiments.prepare", "corpus"]
    command += ["--input", str(real_data_dir / "corpus_ko" / "corpus_ko.txt.xz")]
    command += ["--tokenizer", str(real_data_dir / "kobert_tokenizer"), "--output", str(tmp_path / "corpus")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    peak = float(printed.split("peak memory ")[1].split(" MB")[0].replace(",", ""))
    assert peak < 700
    manifest = read_manifest(tmp_path / "corpus")
    assert manifest["lines"]["read"] == 516_730
    # The corpus's own description estimates 21.6 million pieces; kept lines have two special tokens each.
    assert sum(manifest["tokens"].values()) == pytest.approx(21.6e6 + 2 * manifest["lines"]["kept"], rel=0.05)
    assert manifest["unknown_rate"] < 0.01


def test_python_interface_reports_progress(text_file: Path, tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    calls: list[tuple[int, int, int]] = []
    prepare_corpus(
        [str(text_file)],
        str(tiny_tokenizer_dir),
        tmp_path / "corpus",
        CorpusSettings(validation_fraction=0.0),
        on_progress=lambda *counts: calls.append(counts),
    )
    assert sum(count for count, _, _ in calls) == text_file.stat().st_size
    assert sum(count for _, count, _ in calls) == len(LINES) + 3
    assert {total for _, _, total in calls} == {text_file.stat().st_size}
    assert list(load_from_disk(str(tmp_path / "corpus"))) == ["train"]


def test_files_of_wikiextractor(tmp_path: Path, tiny_tokenizer_dir: Path, capsys) -> None:
    """Names without a suffix are text; what others hold is said by --format, and remembered."""
    (tmp_path / "AA").mkdir()
    for name in ("wiki_00", "wiki_01"):
        (tmp_path / "AA" / name).write_text("\n".join(LINES), encoding="utf-8")
    assert prepare(tmp_path / "AA" / "wiki_*", tiny_tokenizer_dir, tmp_path / "plain") == 0
    assert read_manifest(tmp_path / "plain")["lines"]["read"] == 2 * len(LINES)
    assert "kind" not in read_manifest(tmp_path / "plain")["settings"]
    objects = tmp_path / "AA" / "rows.2024"
    objects.write_text("".join(json.dumps({"text": line}) + "\n" for line in LINES), encoding="utf-8")
    assert prepare(objects, tiny_tokenizer_dir, tmp_path / "objects") == 2
    assert "--format txt" in capsys.readouterr().err
    options = ("--format", "jsonl", "--field", "text")
    assert prepare(objects, tiny_tokenizer_dir, tmp_path / "objects", *options) == 0
    assert read_manifest(tmp_path / "objects")["lines"]["read"] == len(LINES)
    assert prepare(objects, tiny_tokenizer_dir, tmp_path / "objects", "--format", "txt") == 2
    assert "settings kind: found 'jsonl', requested 'txt'" in capsys.readouterr().err
    renamed = objects.rename(tmp_path / "AA" / "rows.txt")
    assert prepare(renamed, tiny_tokenizer_dir, tmp_path / "objects") == 2
    assert "settings kind: found 'jsonl', requested None" in capsys.readouterr().err
