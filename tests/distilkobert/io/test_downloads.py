"""Downloads against a small server on this machine: whole, resumed, broken off, missing and wrong."""

import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from distilkobert.io import downloads
from distilkobert.io.downloads import download
from experiments.prepare.__main__ import main
from experiments.prepare.fetch import SOURCES, RemoteFile, Source, fetch

CONTENT = bytes(number * 7 % 251 for number in range(300_000))
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT as /file; what it does wrong is set from outside."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.break_after: list[int] = []  # for each coming answer, the bytes after which the connection breaks
        self.knows_ranges = True
        self.refuses_ranges = False  # answers 416, and names another length than it has
        self.shift = 0  # what parts start too early
        self.etag: str | None = '"one"'
        self.asked: list[str | None] = []  # the Range header of every request
        self.status = 200
        self.length: str | None = ""  # Content-Length; empty for the right one
        self.seconds = 0.0  # between two blocks of the answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/file"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        wanted = self.headers.get("Range")
        server.asked.append(wanted)
        if not self.path.startswith("/file") or server.status != 200:
            self.send_error(404 if server.status == 200 else server.status)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and server.knows_ranges else 0
        if self.headers.get("If-Range") not in (None, server.etag):
            start = 0
        start = max(start - server.shift, 0)
        body = server.content[start:]
        if start and (not body or server.refuses_ranges):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(server.content) + server.refuses_ranges}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            last = len(server.content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(server.content)}")
        if server.etag is not None:
            self.send_header("ETag", server.etag)
        if server.length is not None:
            self.send_header("Content-Length", server.length or str(len(body)))
        self.end_headers()
        body = body[: server.break_after.pop(0)] if server.break_after else body
        for first in range(0, len(body), 1 << 16):
            self.wfile.write(body[first : first + (1 << 16)])
            time.sleep(server.seconds)

    def log_message(self, *values: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


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
    with pytest.raises(ConnectionError, match=r"broke off 2 times; 2,000 bytes are kept"):
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
    with pytest.raises(ValueError, match=rf"has the SHA-256 {SHA256}, expected {'0' * 64}; the bytes were removed"):
        download(server.url, tmp_path / "file", "0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_another_file_under_the_name_is_kept_and_refused(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(ValueError, match="is there already, but its SHA-256 is"):
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
    with pytest.raises(ValueError, match=r"what was downloaded has the SHA-256 .* or the server cuts it off"):
        download(server.url, tmp_path / "file", SHA256)
    assert download(server.url, tmp_path / "file", SHA256)
    with pytest.raises(ValueError, match="does not say how long the file is, and no SHA-256 of it is known"):
        download(server.url, tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_server_that_refuses_the_rest_sends_all_again_or_ends_it(server: Server, tmp_path: Path) -> None:
    server.break_after, server.refuses_ranges = [1_000, 1_000, 1_000], True
    with pytest.raises(ConnectionError, match=r"broke off 4 times; 0 bytes are kept"):
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
    with pytest.raises(ValueError, match=rf"is there already, but its SHA-256 is {SHA256}, and .* is {'0' * 64}"):
        fetch(source, tmp_path)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_fetch_without_a_network_says_which_file_to_place_where(tmp_path: Path) -> None:
    with Server() as closed:
        url = closed.url
    with pytest.raises(ConnectionError, match=r"Without a network, bring .* place them as .*data/file"):
        fetch(Source("free", (RemoteFile(url, None),)), tmp_path / "data")


def test_data_that_may_not_be_passed_on_is_not_downloaded(tmp_path: Path, capsys) -> None:
    assert main(["fetch", "naver_ner", "--output", str(tmp_path / "ner")]) == 2
    printed = capsys.readouterr()
    assert "keeps all rights" in printed.out
    assert "train.tsv and test.tsv" in printed.err


@pytest.mark.real_data
def test_pinned_hashes_are_those_of_the_real_files(real_data_dir: Path) -> None:
    import lzma

    checked = 0
    for name, source in SOURCES.items():
        for file in source.files:
            plain, packed = real_data_dir / name / file.name, real_data_dir / name / f"{file.name}.xz"
            if plain.is_file() or packed.is_file():
                content = plain.read_bytes() if plain.is_file() else lzma.decompress(packed.read_bytes())
                assert hashlib.sha256(content).hexdigest() == file.sha256
                checked += 1
    assert checked
