"""A small server of one file, which can do wrong what servers do wrong."""

import hashlib
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.servers.serving import serving

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
    with serving(Server()) as running:
        yield running
