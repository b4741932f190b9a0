"""`python -m experiments.prepare corpus` with bad input: one line that says what to do, and nothing left behind."""

import lzma
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from distilkobert.corpus.manifest import read_manifest
from distilkobert.corpus.preparation.prepare import _imported_meanwhile
from distilkobert.tokenizers.training import train_tokenizer
from tests.support.corpus_text import LINES, leftovers, prepare, write_text_file
from tests.support.tokenizers.sentences import SENTENCES


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    return write_text_file(tmp_path)


def test_other_settings_inputs_or_tokenizer_are_refused_by_name(
    text_file: Path, tmp_path: Path, tiny_tokenizer_dir: Path, capsys
) -> None:
    output = tmp_path / "corpus"
    prepare(text_file, tiny_tokenizer_dir, output)
    before = (output / "manifest.json").read_bytes()
    other_text = tmp_path / "other.txt"
    other_text.write_text("\n".join(LINES), encoding="utf-8")
    train_tokenizer(SENTENCES, tmp_path / "other_tokenizer", vocab_size=330)

    assert prepare(text_file, tiny_tokenizer_dir, output, "--max_tokens", "128") == 2
    assert "settings max_tokens: found 512, requested 128" in capsys.readouterr().err
    assert prepare(other_text, tiny_tokenizer_dir, output) == 2
    assert "input file 1: found a.txt.xz with sha256" in capsys.readouterr().err
    assert prepare(other_text, tiny_tokenizer_dir, output, "--input", str(other_text), str(text_file)) == 2
    assert "number of input files: found 1, requested 2" in capsys.readouterr().err
    assert prepare(text_file, tmp_path / "other_tokenizer", output) == 2
    assert "tokenizer fingerprint" in capsys.readouterr().err
    assert (output / "manifest.json").read_bytes() == before

    assert prepare(text_file, tiny_tokenizer_dir, output, "--max_tokens", "128", "--overwrite") == 0
    assert read_manifest(output)["settings"]["max_tokens"] == 128


def test_folders_that_are_not_a_corpus_are_never_replaced(
    text_file: Path, tmp_path: Path, tiny_tokenizer_dir: Path, capsys
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").touch()
    assert prepare(text_file, tiny_tokenizer_dir, precious, "--overwrite") == 2
    assert "precious exists and is not a prepared corpus" in capsys.readouterr().err
    (precious / "manifest.json").write_text("[]")
    assert prepare(text_file, tiny_tokenizer_dir, precious, "--overwrite") == 2
    assert "has format None, expected 2" in capsys.readouterr().err
    (precious / "manifest.json").write_text("{")
    assert prepare(text_file, tiny_tokenizer_dir, precious) == 2
    assert "is not the manifest of a prepared corpus" in capsys.readouterr().err
    assert (precious / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", [], "a.txt is empty"),
        ("가\n".encode() + "나".encode("cp949"), [], "a.txt, line 2: not UTF-8"),
        (
            "짧다\n눈".encode(),
            [],
            "nothing is left for training of 2 lines read: 0 empty, 2 with fewer than min_tokens = 12",
        ),
        (b"\n\n", [], "a.txt is empty (only blank lines)"),
        (b"\xef\xbb\xbf", [], "a.txt is empty"),
        (LINES[0].encode(), [], "none of 1 lines kept fell into the validation part; raise validation_fraction"),
        (b"x", ["--field", "text"], "field is 'text', but the inputs are .txt files"),
        (b"x", ["--num_proc", "0"], "num_proc is 0; expected at least 1"),
        (b"x", ["--min_tokens", "1"], "min_tokens is 1; expected at least 3"),
        ("\u4e00\u4e01\u4e02 ".encode() * 200, [], "a.txt: 50.0% of 400 pieces are unknown to the tokenizer."),
        (b"x", ["--unknown_limit", "0"], "unknown_limit is 0.0; expected more than 0 and at most 1"),
    ],
)
def test_bad_input_gives_one_line_and_leaves_nothing(
    tmp_path: Path, tiny_tokenizer_dir: Path, capsys, content: bytes, options: list[str], message: str
) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    assert prepare(tmp_path / "a.txt", tiny_tokenizer_dir, tmp_path / "corpus", *options) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert leftovers(tmp_path) == []


def test_cut_off_second_file_leaves_nothing(text_file: Path, tmp_path: Path, tiny_tokenizer_dir: Path, capsys) -> None:
    broken = tmp_path / "b.txt.xz"
    broken.write_bytes(lzma.compress("\n".join(LINES * 9).encode())[:-30])
    assert prepare(text_file, tiny_tokenizer_dir, tmp_path / "corpus", "--input", str(text_file), str(broken)) == 2
    assert "b.txt.xz, after line" in capsys.readouterr().err
    assert leftovers(tmp_path) == []


def test_missing_inputs_and_tokenizers(text_file: Path, tmp_path: Path, tiny_tokenizer_dir: Path, capsys) -> None:
    assert prepare(tmp_path / "gone*.txt", tiny_tokenizer_dir, tmp_path / "corpus") == 2
    assert "no file matches" in capsys.readouterr().err
    (tmp_path / "empty_folder").mkdir()
    assert prepare(text_file, tmp_path / "empty_folder", tmp_path / "corpus") == 2
    assert (
        "contains no tokenizer; expected KoBERT's *.model file and vocab.txt, or a tokenizer.json"
        in capsys.readouterr().err
    )


def test_interrupt_leaves_nothing_that_looks_whole(
    text_file: Path, tmp_path: Path, tiny_tokenizer_dir: Path, monkeypatch, capsys
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("distilkobert.corpus.store.CorpusWriter.finish", interrupt)
    assert prepare(text_file, tiny_tokenizer_dir, tmp_path / "corpus") == 130
    assert "interrupted" in capsys.readouterr().err
    assert leftovers(tmp_path) == [".corpus.shards"]


def test_an_import_meanwhile_that_fails_is_reported_by_the_import_after_it_alone(monkeypatch) -> None:
    """An interrupt during the main thread's own import leaves half a package, on which the thread's fails."""
    reported: list[object] = []
    monkeypatch.setattr("threading.excepthook", reported.append)
    with _imported_meanwhile("tests.no_such_module"):
        pass
    assert reported == []
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with _imported_meanwhile("colorsys"):
        pass
    assert "colorsys" in sys.modules


def _heed_interrupts() -> None:
    """A shell starts background jobs, of which this test may be part, with SIGINT ignored; children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.parametrize("wait", [0.0, 0.3, 1.0], ids=["before workers", "workers start", "at work"])
def test_interrupt_of_several_processes_says_one_word(tmp_path: Path, tiny_tokenizer_dir: Path, wait: float) -> None:
    (tmp_path / "big.txt").write_text("\n".join(f"{number} {LINES[number % 99]}" for number in range(400_000)))
    command = [sys.executable, "-m", "experiments.prepare", "corpus", "--input", str(tmp_path / "big.txt")]
    command += ["--tokenizer", str(tiny_tokenizer_dir), "--output", str(tmp_path / "corpus"), "--num_proc", "2"]
    process = subprocess.Popen(
        command,
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_interrupts,
    )
    deadline = time.monotonic() + 240
    while not leftovers(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(wait)
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does on Ctrl-C
    assert process.communicate(timeout=60)[1] == "interrupted\n"
    assert process.returncode == 130
    assert leftovers(tmp_path) == []


@pytest.mark.slow
def test_killed_run_leaves_nothing_that_looks_whole(tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    (tmp_path / "big.txt").write_text("\n".join(f"{number} {LINES[number % 99]}" for number in range(400_000)))
    command = [sys.executable, "-m", "experiments.prepare", "corpus", "--input", str(tmp_path / "big.txt")]
    process = subprocess.Popen([*command, "--tokenizer", str(tiny_tokenizer_dir), "--output", str(tmp_path / "corpus")])
    deadline = time.monotonic() + 240

    def begun() -> list[str]:
        return [name for name in leftovers(tmp_path) if name == ".corpus.shards" or name.endswith(".partial")]

    while not begun() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "corpus").exists()
    assert begun()
    # The lock and the name of its holder stay after a kill; the next command takes both, and leaves no shards.
    assert all(".corpus." in name for name in leftovers(tmp_path)), leftovers(tmp_path)
    (tmp_path / "small.txt").write_text("\n".join(LINES), encoding="utf-8")
    assert prepare(tmp_path / "small.txt", tiny_tokenizer_dir, tmp_path / "corpus") == 0
    assert [name for name in leftovers(tmp_path) if not name.endswith(".partial")] == ["corpus"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layout", "paged"], "layout"),
        (["--max_tokens", "many"], "max_tokens"),
        (["--max_token", "64"], "unrecognized arguments: --max_token"),
        (["--colour", "red"], "unrecognized arguments: --colour"),
    ],
)
def test_command_line_refuses_what_it_does_not_know(
    text_file: Path, tmp_path: Path, tiny_tokenizer_dir: Path, capsys, options: list[str], message: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        prepare(text_file, tiny_tokenizer_dir, tmp_path / "corpus", *options)
    assert message in capsys.readouterr().err
    assert leftovers(tmp_path) == []
