"""`prepare corpus --shard` and `prepare merge`: the corpus of a job array is that of one run, byte for byte."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from distilkobert.corpus.preparation import shards, work
from distilkobert.corpus.preparation.shares import Share, read_share
from distilkobert.tokenizers.training import train_tokenizer
from experiments.prepare.__main__ import main
from tests.support.corpus_text import LINES, leftovers, prepare
from tests.support.tokenizers.sentences import SENTENCES

Prepare = Callable[..., int]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Six files of unlike sizes; the last two make one shard of the preparation."""
    monkeypatch.setattr(shards, "SHARD_BYTES", 500)
    names = []
    for number, lines in enumerate((100, 20, 60, 9, 3, 2)):
        names.append(str(tmp_path / f"{number}.txt"))
        Path(names[-1]).write_text("\n".join(f"{number} {line}" for line in LINES[:lines]), encoding="utf-8")
    return names


@pytest.fixture
def shard(files: list[str], tmp_path: Path, tiny_tokenizer_dir: Path) -> Prepare:
    """Prepares `number/of` into a folder of that name, and gives the exit code."""

    def call(number: int, of: int, *more: str) -> int:
        options = ["--input", *files, "--shard", f"{number}/{of}", "--max_tokens", "40", *more]
        return prepare(Path(files[0]), tiny_tokenizer_dir, tmp_path / f"{number}of{of}", *options)

    return call


@pytest.fixture
def merge(tmp_path: Path, tiny_tokenizer_dir: Path) -> Prepare:
    def call(*folders: str, tokenizer: Path = tiny_tokenizer_dir, more: tuple[str, ...] = ()) -> int:
        named = [str(tmp_path / name) for name in folders]
        return main(["merge", *named, "--tokenizer", str(tokenizer), "--output", str(tmp_path / "merged"), *more])

    return call


def content(folder: Path) -> dict[str, bytes]:
    """The corpus's files; those in which datasets names its caches apart."""
    found = [
        path for path in folder.rglob("*") if path.is_file() and path.name not in ("state.json", "dataset_info.json")
    ]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.parametrize("layout", ["lines", "packed"])
@pytest.mark.parametrize("of", [1, 2, 3, 4])
def test_merged_shards_are_the_corpus_of_one_run(
    of: int, layout: str, files: list[str], shard: Prepare, merge: Prepare, tmp_path: Path, tiny_tokenizer_dir: Path
) -> None:
    options = ["--layout", layout, "--input", *files, "--max_tokens", "40"]
    assert prepare(Path(files[0]), tiny_tokenizer_dir, tmp_path / "one", *options) == 0
    for number in range(of, 0, -1):
        assert shard(number, of, "--layout", layout) == 0
    folders = [f"{number}of{of}" for number in range(of, 0, -1)]
    assert leftovers(tmp_path) == sorted([*folders, "one"])
    assert merge(*folders) == 0
    merged, one = content(tmp_path / "merged"), content(tmp_path / "one")
    assert "manifest.json" in one
    assert merged == one
    every = [
        entry["name"]
        for name in folders
        for group in read_share(tmp_path / name)["groups"]
        for entry in group["inputs"]
    ]
    assert sorted(every) == [f"{number}.txt" for number in range(6)]


def test_jobs_read_their_own_files_alone_and_share_bytes_evenly(
    files: list[str], shard: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    original = work.read_blocks
    monkeypatch.setattr(work, "read_blocks", lambda path, *rest: (read.append(path.name), original(path, *rest))[1])
    hashed = lambda path: (read.append(path.name), f"hash of {path.name}")[1]  # noqa: E731
    monkeypatch.setattr("distilkobert.io.reading.inputs.sha256_of_file", hashed)
    assert shard(2, 2) == 0
    assert shard(1, 2) == 0
    assert sorted(read) == sorted(2 * [f"{number}.txt" for number in range(6)])
    sizes = [Path(name).stat().st_size for name in files]
    largest = {entry["name"] for group in read_share(tmp_path / "1of2")["groups"] for entry in group["inputs"]}
    assert largest == {"0.txt"}
    assert sizes[0] > sum(sizes[1:])  # so the largest file is a share of its own


def test_files_of_equal_content(
    files: list[str], shard: Prepare, merge: Prepare, tmp_path: Path, tiny_tokenizer_dir: Path
) -> None:
    for name in files[1:4]:
        shutil.copy(files[0], name)
    assert prepare(Path(files[0]), tiny_tokenizer_dir, tmp_path / "one", "--input", *files, "--max_tokens", "40") == 0
    for number in (1, 2):
        assert shard(number, 2) == 0
    assert merge("1of2", "2of2") == 0
    assert content(tmp_path / "merged") == content(tmp_path / "one")


def test_a_killed_shard_is_done_again(
    shard: Prepare, merge: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    original = work.read_blocks

    def interrupted(path: Path, *rest: object) -> object:
        if path.name == "2.txt":
            raise KeyboardInterrupt
        return original(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(work, "read_blocks", interrupted)
    assert shard(1, 2) == 0
    assert shard(2, 2) == 130
    assert leftovers(tmp_path) == [".2of2.shards", "1of2"]
    assert merge("1of2") == 2
    assert "1 of 2 shards are missing: 2/2; give their folders" in capsys.readouterr().err
    read: list[str] = []
    monkeypatch.setattr(work, "read_blocks", lambda path, *rest: (read.append(path.name), original(path, *rest))[1])
    assert shard(2, 2) == 0
    assert read == ["2.txt", "3.txt", "4.txt", "5.txt"]  # 1.txt was encoded before
    assert shard(2, 2) == 0
    assert "already exists" in capsys.readouterr().out
    assert merge("1of2", "2of2") == 0
    assert merge("2of2", "1of2") == 0
    assert "already exists" in capsys.readouterr().out


def test_shards_that_are_no_whole_are_refused(shard: Prepare, merge: Prepare, tmp_path: Path, capsys) -> None:
    for number in (1, 2):
        assert shard(number, 2) == 0
    assert shard(1, 3) == 0
    shutil.copytree(tmp_path / "2of2", tmp_path / "copy")
    assert merge("1of2", "2of2", "copy") == 2
    assert f"{tmp_path / '2of2'} and {tmp_path / 'copy'} are both shard 2/2" in capsys.readouterr().err
    assert merge("1of3", "2of2") == 2
    assert "are not shards of one corpus (number of shards: found 2, requested 3)" in capsys.readouterr().err
    assert shard(2, 2, "--min_tokens", "5", "--overwrite") == 0
    assert merge("1of2", "2of2") == 2
    assert "2of2 and " in (error := capsys.readouterr().err)
    assert "settings min_tokens: found 5, requested 12" in error
    assert merge("1of2", "nowhere") == 2
    assert "nowhere; expected one that prepare corpus --shard=I/N has written" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert merge("1of2", "empty") == 2
    assert "empty contains no shard of a corpus (share.json is missing)" in capsys.readouterr().err
    assert not (tmp_path / "merged").exists()


def test_shards_of_other_inputs_tokenizers_or_bytes_are_refused(
    files: list[str], shard: Prepare, merge: Prepare, tmp_path: Path, capsys
) -> None:
    for number in (1, 2):
        assert shard(number, 2) == 0
    train_tokenizer(SENTENCES, tmp_path / "other", vocab_size=330)
    assert merge("1of2", "2of2", tokenizer=tmp_path / "other") == 2
    assert "were encoded with the tokenizer of fingerprint" in capsys.readouterr().err
    damaged = next((tmp_path / "2of2").glob("*/train.arrow"))
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    assert merge("1of2", "2of2") == 2
    assert f"{damaged}: bytes 0 to {len(whole) - 1:,} differ from those written. Prepare shard 2/2 again" in (
        capsys.readouterr().err
    )
    assert shard(2, 2) == 2
    assert "contains another shard (its input files have changed, or it is damaged)" in capsys.readouterr().err
    with Path(files[5]).open("a", encoding="utf-8") as stream:
        stream.write("\n끝")
    assert shard(2, 2, "--overwrite") == 0
    assert merge("1of2", "2of2") == 2
    assert "are not shards of one corpus (input files: found 6 of " in capsys.readouterr().err
    record = json.loads((tmp_path / "1of2" / "share.json").read_text())
    (tmp_path / "1of2" / "share.json").write_text(json.dumps({**record, "groups": 3}))
    assert merge("1of2", "2of2") == 2
    assert "share.json is damaged (groups is 3); prepare this shard again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0/2", "--shard=0/2: expected I/N with I from 1 to 2"),
        ("3/2", "--shard=3/2: expected I/N with I from 1 to 2"),
        ("2", "--shard=2: expected I/N, shard I of N, for example 2/4"),
        ("1/6", "--shard=1/6: the input files can be divided into 5 at most"),
    ],
)
def test_shards_that_cannot_be(
    text: str, message: str, files: list[str], tmp_path: Path, tiny_tokenizer_dir: Path, capsys
) -> None:
    options = ["--input", *files, "--shard", text]
    assert prepare(Path(files[0]), tiny_tokenizer_dir, tmp_path / "out", *options) == 2
    assert message in capsys.readouterr().err
    assert leftovers(tmp_path) == []


def test_a_folder_with_something_else_is_never_replaced(shard: Prepare, tmp_path: Path, capsys) -> None:
    (tmp_path / "1of2").mkdir()
    (tmp_path / "1of2" / "thesis.md").touch()
    assert shard(1, 2, "--overwrite") == 2
    assert "1of2 exists and is not a shard of a corpus" in capsys.readouterr().err
    assert shard(2, 2) == 0
    (tmp_path / "2of2").rename(tmp_path / "1of3")
    assert shard(1, 3) == 2
    assert "number of shards: found 2, requested 3; found 2/2, requested 1/3" in capsys.readouterr().err


def test_a_share_is_written_as_it_is_read() -> None:
    assert str(Share.parse("2/4")) == "2/4"
