"""A prepared corpus whose files were lost or cut off is refused, and mended by preparing it again."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from datasets import load_from_disk

from datamodules import CorpusDataModule
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


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no part": (lambda corpus: shutil.rmtree(corpus / "train"), "train not found"),
    "no arrow file": (lambda corpus: arrow_file(corpus).unlink(), r"No such file or directory: .*train"),
    "cut arrow file": (lambda corpus: cut(arrow_file(corpus)), "Expected to be able to read"),
    "another part's file": (swap_parts, r"train has \d+ sequences, expected \d+"),
    "broken description": (lambda corpus: (corpus / "train" / "state.json").write_text("{}"), "_data_files"),
    "a description of nothing": (lambda corpus: (corpus / "train" / "state.json").write_text("null"), "NoneType"),
    "a list": (lambda corpus: (corpus / "train" / "state.json").write_text("[]"), "list"),
    "no counts": (lambda corpus: (corpus / "token_counts.npy").unlink(), r"No such file.*token_counts\.npy"),
    "cut counts": (lambda corpus: cut(corpus / "token_counts.npy"), "Failed to read all data|could only read"),
    "other counts": (miscount, r"token_counts\.npy counts \d+ tokens, expected \d+"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found_and_mended(kind: str, tmp_path: Path, tiny_tokenizer_dir: Path, capsys) -> None:
    damage, found = DAMAGE[kind]
    text_file, corpus = write_text_file(tmp_path), tmp_path / "corpus"
    assert prepare(text_file, tiny_tokenizer_dir, corpus) == 0
    whole = load_from_disk(str(corpus))["train"]["input_ids"][:]
    CorpusDataModule(str(corpus), str(tiny_tokenizer_dir))
    damage(corpus)
    message = (
        rf"the corpus in {corpus} is damaged: .*({found}).*Prepare it again, with the same command and --overwrite"
    )
    with pytest.raises(ValueError, match=message):
        CorpusDataModule(str(corpus), str(tiny_tokenizer_dir))
    capsys.readouterr()
    assert prepare(text_file, tiny_tokenizer_dir, corpus) == 2
    said = capsys.readouterr().err
    assert f"the corpus in {corpus} is damaged" in said
    assert said.count("\n") == 1
    assert prepare(text_file, tiny_tokenizer_dir, corpus, "--overwrite") == 0
    assert load_from_disk(str(corpus))["train"]["input_ids"][:] == whole
    CorpusDataModule(str(corpus), str(tiny_tokenizer_dir))


def test_a_whole_corpus_is_not_made_again_by_overwrite(tmp_path: Path, tiny_tokenizer_dir: Path, capsys) -> None:
    text_file, corpus = write_text_file(tmp_path), tmp_path / "corpus"
    for _ in range(2):
        assert prepare(text_file, tiny_tokenizer_dir, corpus, "--overwrite") == 0
    assert "is there already" in capsys.readouterr().out
