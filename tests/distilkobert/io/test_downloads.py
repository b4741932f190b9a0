"""Downloads against a small server on this machine: whole, resumed, broken off, missing and wrong."""

from pathlib import Path

import pytest

from distilkobert.io import downloads
from distilkobert.io.downloads import download
from tests.support.servers.file_server import CONTENT, SHA256, Server, server

__all__ = ["server"]


def test_a_whole_file_and_its_progress(server: Server, tmp_path: Path) -> None:
    target, seen = tmp_path / "file", []
    assert download(server.url, target, SHA256, lambda there, total: seen.append((there, total)))
    assert target.read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [there for there, _ in seen] == sorted(there for there, _ in seen)
    assert not download(server.url, target, SHA256)
    assert len(server.asked) == 1


def test_a_broken_connection_goes_on_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.break_after = [100_000, 50_000]
    download(server.url, tmp_path / "file", SHA256)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=100000-", "bytes=150000-"]


def test_too_many_breaks_leave_nothing_under_the_name_and_the_next_call_goes_on(server: Server, tmp_path: Path) -> None:
    server.break_after = [1_000, 1_000]
    with pytest.raises(ConnectionError, match=r"broke 2 times; 2,000 bytes are kept"):
        download(server.url, tmp_path / "file", SHA256, attempts=2)
    assert not (tmp_path / "file").exists()
    download(server.url, tmp_path / "file", SHA256)
    assert server.asked[-1] == "bytes=2000-"
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("change", ["new version", "no ranges", "no etag"])
def test_bytes_of_different_versions_are_never_mixed(server: Server, tmp_path: Path, change: str) -> None:
    server.break_after = [100_000]
    if change == "no etag":
        server.etag = None
    with pytest.raises(ConnectionError):
        download(server.url, tmp_path / "file", attempts=1)
    server.content = CONTENT[::-1]
    if change == "new version":
        server.etag = '"two"'
    server.knows_ranges = change != "no ranges"
    download(server.url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT[::-1]


def test_another_part_than_the_one_asked_for_is_not_used(server: Server, tmp_path: Path) -> None:
    server.break_after, server.shift = [100_000], 10
    download(server.url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=100000-", None]


def test_a_part_that_is_whole_already(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT)
    (tmp_path / "file.part.tag").write_text('"one"')
    assert download(server.url, tmp_path / "file", SHA256)
    assert server.asked == [f"bytes={len(CONTENT)}-"]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_part_that_is_too_long(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT + b"?")
    (tmp_path / "file.part.tag").write_text('"one"')
    assert download(server.url, tmp_path / "file", SHA256)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_wrong_hash_leaves_nothing(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"has the SHA-256 {SHA256}, expected {'0' * 64}, and was removed"):
        download(server.url, tmp_path / "file", "0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_another_file_under_the_name_is_kept_and_refused(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(ValueError, match="exists with the SHA-256"):
        download(server.url, tmp_path / "file", SHA256)
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_what_the_server_lacks_or_refuses(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file \\(HTTP 404\\)"):
        download(server.url.replace("file", "other"), tmp_path / "file")
    server.status = 403
    with pytest.raises(ConnectionError, match="HTTP 403"):
        download(server.url, tmp_path / "file")
    server.status = 503
    with pytest.raises(ConnectionError, match="HTTP 503"):
        download(server.url, tmp_path / "file", attempts=3)
    assert len(server.asked) == 1 + 1 + 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", ["many", "-5", "1e5"])
def test_a_length_that_is_no_number_is_named(length: str, server: Server, tmp_path: Path) -> None:
    server.length = length
    with pytest.raises(ConnectionError, match=rf"no connection \(the server sent the Content-Length '{length}', which"):
        download(server.url, tmp_path / "file", SHA256, attempts=2)
    assert not (tmp_path / "file").exists()


def test_a_file_of_unknown_length_is_whole_by_its_hash_alone(server: Server, tmp_path: Path) -> None:
    server.length, server.break_after = None, [1_000]
    with pytest.raises(ValueError, match=r"the download has the SHA-256 .* or the server truncates it"):
        download(server.url, tmp_path / "file", SHA256)
    assert download(server.url, tmp_path / "file", SHA256)
    with pytest.raises(ValueError, match="sends no Content-Length and no SHA-256 is known"):
        download(server.url, tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_server_that_refuses_the_rest_sends_all_again_or_ends_it(server: Server, tmp_path: Path) -> None:
    server.break_after, server.refuses_ranges = [1_000, 1_000, 1_000], True
    with pytest.raises(ConnectionError, match=r"broke 4 times; 0 bytes are kept"):
        download(server.url, tmp_path / "file")
    assert server.asked == [None, "bytes=1000-", None, "bytes=1000-"]


def test_files_are_not_larger_than_the_limit(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MAX_BYTES", 200_000)
    with pytest.raises(ValueError, match="the file has 300,000 bytes; this command downloads at most 200,000"):
        download(server.url, tmp_path / "file", SHA256)
    server.length = None
    with pytest.raises(ValueError, match="the file has more than 200,000 bytes"):
        download(server.url, tmp_path / "file", SHA256)
    assert list(tmp_path.iterdir()) == []


def test_a_connection_that_trickles_ends(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MAX_SECONDS", 0.05)
    server.seconds = 0.2
    with pytest.raises(ConnectionError, match="not ended after 0 s"):
        download(server.url, tmp_path / "file", SHA256, attempts=1)


def test_no_server_and_no_folder(server: Server, tmp_path: Path) -> None:
    with Server() as closed:
        url = closed.url
    with pytest.raises(ConnectionError, match="no connection"):
        download(url, tmp_path / "file")
    with pytest.raises(FileNotFoundError, match="does not exist; make it"):
        download(server.url, tmp_path / "folder" / "file")
