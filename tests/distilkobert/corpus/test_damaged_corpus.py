"""A prepared corpus whose files were lost or cut off is refused, and mended by preparing it again."""

import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from datasets import load_from_disk

from datamodules import CorpusDataModule
from distilkobert.corpus import integrity
from tests.support.corpus_text import prepare, write_text_file


def arrow_file(corpus: Path) -> Path:
    (path,) = (corpus / "train").glob("*.arrow")
    return path


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def swap_parts(corpus: Path) -> None:
    shutil.rmtree(corpus / "train")
    shutil.copytree(corpus / "validation", corpus / "train")


def miscount(corpus: Path) -> None:
    np.save(corpus / "token_counts.npy", np.load(corpus / "token_counts.npy") + 1)


def change(path: Path, place: int, block: bytes) -> None:
    """Write other bytes at a place, counted from the end where it is negative."""
    content = bytearray(path.read_bytes())
    first = place % len(content)
    content[first : first + len(block)] = block
    path.write_bytes(content)


def forget_hashes(corpus: Path) -> None:
    """Leave its files without hashes, so that damage is found by what they contain alone."""
    path = corpus / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "files": {}}))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no part": (lambda corpus: shutil.rmtree(corpus / "train"), "train not found"),
    "no arrow file": (lambda corpus: arrow_file(corpus).unlink(), r"No such file or directory: .*train"),
    "cut arrow file": (lambda corpus: cut(arrow_file(corpus)), "Expected to be able to read"),
    "another part's file": (swap_parts, r"train has \d+ sequences, expected \d+"),
    "broken description": (lambda corpus: (corpus / "train" / "state.json").write_text("{}"), "_data_files"),
    "a description of nothing": (lambda corpus: (corpus / "train" / "state.json").write_text("null"), "NoneType"),
    "a list": (lambda corpus: (corpus / "train" / "state.json").write_text("[]"), "list"),
    "no counts": (lambda corpus: (corpus / "token_counts.npy").unlink(), r"No such file.*token_counts\.npy"),
    "cut counts": (
        lambda corpus: cut(corpus / "token_counts.npy"),
        "Failed to read all|could only read|cannot reshape",
    ),
    "other counts": (miscount, r"token_counts\.npy counts \d+ tokens, expected \d+"),
}
HASHED = {
    "no arrow file": (DAMAGE["no arrow file"][0], r"train/data-00000-of-00001\.arrow is missing"),
    "cut arrow file": (DAMAGE["cut arrow file"][0], r"\.arrow has [\d,]+ bytes, expected [\d,]+"),
    "a bit": (lambda corpus: change(arrow_file(corpus), -200, b"\xaa"), r"bytes 0 to [\d,]+ differ from those w"),
    "zeros": (
        lambda corpus: change(arrow_file(corpus), 1000, bytes(4096)),
        r"\.arrow: bytes 0 to [\d,]+ differ",
    ),
    "other counts": (miscount, r"token_counts\.npy: bytes 0 to [\d,]+ differ from those written"),
}


@pytest.mark.parametrize(("kind", "hashed"), [*((kind, True) for kind in HASHED), *((kind, False) for kind in DAMAGE)])
def test_damage_is_found_and_mended(
    kind: str, hashed: bool, tmp_path: Path, tiny_tokenizer_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage, found = (HASHED if hashed else DAMAGE)[kind]
    text_file, corpus = write_text_file(tmp_path), tmp_path / "corpus"
    assert prepare(text_file, tiny_tokenizer_dir, corpus) == 0
    whole = load_from_disk(str(corpus))["train"]["input_ids"][:]
    CorpusDataModule(str(corpus), str(tiny_tokenizer_dir))
    if not hashed:
        forget_hashes(corpus)
    damage(corpus)
    message = (
        rf"the corpus in {corpus} is damaged: .*({found}).*Prepare it again, with the same command and --overwrite"
    )
    with pytest.raises(ValueError, match=message):
        CorpusDataModule(str(corpus), str(tiny_tokenizer_dir))
    capsys.readouterr()
    if hashed:
        assert prepare(text_file, tiny_tokenizer_dir, corpus) == 2
        said = capsys.readouterr().err
        assert f"the corpus in {corpus} is damaged" in said
        assert said.count("\n") == 1
    assert prepare(text_file, tiny_tokenizer_dir, corpus, "--overwrite") == 0
    assert load_from_disk(str(corpus))["train"]["input_ids"][:] == whole
    CorpusDataModule(str(corpus), str(tiny_tokenizer_dir))


def read_all(corpus: Path, tokenizer: Path) -> None:
    data = CorpusDataModule(str(corpus), str(tokenizer), max_tokens=512)
    for loader in (data.train_dataloader(), data.val_dataloader()):
        for batch in loader:
            assert batch["input_ids"].shape == batch["labels"].shape


def test_damage_that_no_hash_shows_is_no_crash(tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    """Bits and blocks outside the blocks that are sampled: read whole, or refused by a message; ids stay in range."""
    text_file, corpus = write_text_file(tmp_path), tmp_path / "corpus"
    assert prepare(text_file, tiny_tokenizer_dir, corpus) == 0
    forget_hashes(corpus)
    path = arrow_file(corpus)
    content, draw, refused = path.read_bytes(), random.Random(0), 0
    for trial in range(60):
        damaged = bytearray(content)
        for _ in range((1, 20, 200)[trial % 3]):
            damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        said = ""
        try:
            read_all(corpus, tiny_tokenizer_dir)
        except ValueError as error:
            said = str(error)
        refused += bool(said)
        assert not said or "is damaged: " in said
    assert refused > 40


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("longest", None, "longest is missing"),
        ("longest", {"train": 12}, r"longest\.validation is missing"),
        ("longest", {"train": 7, "validation": 7}, r"the longest \w+ sequence has \d+ tokens, expected 7"),
        ("sequences", [1], r"sequences is \[1\], expected dict"),
        ("unknown_rate", "none", "unknown_rate is 'none', expected float"),
        ("files", None, "files is missing"),
    ],
)
def test_a_manifest_that_was_changed_is_refused(
    key: str, value: object, message: str, tmp_path: Path, tiny_tokenizer_dir: Path
) -> None:
    corpus = tmp_path / "corpus"
    assert prepare(write_text_file(tmp_path), tiny_tokenizer_dir, corpus) == 0
    manifest = json.loads((corpus / "manifest.json").read_text())
    changed = {**manifest, key: value} if value is not None else {n: v for n, v in manifest.items() if n != key}
    (corpus / "manifest.json").write_text(json.dumps(changed))
    with pytest.raises(ValueError, match=message):
        read_all(corpus, tiny_tokenizer_dir)


def test_large_files_are_sampled_by_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten blocks: the first, the last and two others are read, which differ from time to time."""
    monkeypatch.setattr(integrity, "BLOCK_BYTES", 10)
    (tmp_path / "file").write_bytes(bytes(range(95)))
    manifest = {"files": integrity.file_hashes(tmp_path, ["file"])}
    assert len(manifest["files"]["file"]["blocks"]) == 10
    assert manifest["files"]["file"]["sha256"] == hashlib.sha256(bytes(range(95))).hexdigest()
    change(tmp_path / "file", 45, b"\xff")
    assert list(integrity.damage(tmp_path, manifest)) == [
        f"{tmp_path / 'file'}: bytes 40 to 49 differ from those written"
    ]
    found = [len(list(integrity.damage(tmp_path, manifest, 2))) for _ in range(200)]
    assert 0 < sum(found) < 200
    change(tmp_path / "file", -1, b"\xff")
    assert all("bytes 90 to 94" in next(integrity.damage(tmp_path, manifest, 0)) for _ in range(5))


def test_a_whole_corpus_is_not_made_again_by_overwrite(tmp_path: Path, tiny_tokenizer_dir: Path, capsys) -> None:
    text_file, corpus = write_text_file(tmp_path), tmp_path / "corpus"
    for _ in range(2):
        assert prepare(text_file, tiny_tokenizer_dir, corpus, "--overwrite") == 0
    assert "already exists" in capsys.readouterr().out


def test_a_folder_whose_name_is_not_utf8_is_not_called_damaged(tmp_path: Path, tiny_tokenizer_dir: Path) -> None:
    text_file, corpus = write_text_file(tmp_path), tmp_path / "corpus"
    assert prepare(text_file, tiny_tokenizer_dir, corpus) == 0
    odd = corpus.rename(tmp_path / os.fsdecode("말뭉치".encode("cp949")))
    with pytest.raises(
        ValueError, match=r"xb8\\xbb.*: a name of a file or folder that is not UTF-8; rename it"
    ) as caught:
        CorpusDataModule(str(odd), str(tiny_tokenizer_dir), max_tokens=512)
    assert "damaged" not in str(caught.value)
    read_all(odd.rename(tmp_path / "말뭉치"), tiny_tokenizer_dir)
