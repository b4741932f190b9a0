"""`python -m experiments.prepare fetch`, against a small server on this machine."""

import hashlib
import lzma
from pathlib import Path

import pytest

from experiments.prepare.__main__ import main
from experiments.prepare.fetch import SOURCES, RemoteFile, Source, fetch
from tests.support.servers.file_server import CONTENT, SHA256, Server, server

__all__ = ["server"]


def test_fetch_brings_all_files_and_says_what_it_knows(server: Server, tmp_path: Path, capsys) -> None:
    source = Source("free for all", (RemoteFile(server.url, SHA256), RemoteFile(f"{server.url}2", None)))
    for state in ("downloaded", "there already"):
        fetch(source, tmp_path / "data")
        printed = capsys.readouterr().out
        assert "licence: free for all" in printed
        assert f"file: {state}, SHA-256 as expected" in printed
        assert f"file2: {state}, SHA-256 not known here, found {SHA256}" in printed


def test_fetch_of_a_file_with_another_checksum_names_both_and_leaves_one_that_is_there(
    server: Server, tmp_path: Path
) -> None:
    source = Source("free", (RemoteFile(server.url, "0" * 64),))
    with pytest.raises(ValueError, match=rf"SHA-256 {SHA256}, expected {'0' * 64}"):
        fetch(source, tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_bytes(CONTENT)
    with pytest.raises(ValueError, match=rf"exists with the SHA-256 {SHA256}, but .* has {'0' * 64}"):
        fetch(source, tmp_path)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_fetch_without_a_network_says_which_file_to_place_where(tmp_path: Path) -> None:
    with Server() as closed:
        url = closed.url
    with pytest.raises(ConnectionError, match=r"Without a network, get .* place them as .*data/file"):
        fetch(Source("free", (RemoteFile(url, None),)), tmp_path / "data")


def test_data_that_may_not_be_passed_on_is_not_downloaded(tmp_path: Path, capsys) -> None:
    assert main(["fetch", "naver_ner", "--output", str(tmp_path / "ner")]) == 2
    printed = capsys.readouterr()
    assert "keeps all rights" in printed.out
    assert "train.tsv and test.tsv" in printed.err


@pytest.mark.real_data
def test_pinned_hashes_are_those_of_the_real_files(real_data_dir: Path) -> None:

    checked = 0
    for name, source in SOURCES.items():
        for file in source.files:
            plain, packed = real_data_dir / name / file.name, real_data_dir / name / f"{file.name}.xz"
            if plain.is_file() or packed.is_file():
                content = plain.read_bytes() if plain.is_file() else lzma.decompress(packed.read_bytes())
                assert hashlib.sha256(content).hexdigest() == file.sha256
                checked += 1
    assert checked
