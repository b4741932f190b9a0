"""A small web server of a folder: pages of links, parts of files, ETags; what it does wrong is set from outside."""

import hashlib
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.servers.serving import serving


class FolderServer(ThreadingHTTPServer):
    """Serves `files`, by their names."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), FolderHandler)
        self.files: dict[str, bytes] = {}
        self.knows_etags = True
        self.knows_lengths = True
        self.break_next = 0  # answers with parts of files that break off in the middle
        self.cut_to: int | None = None  # bytes of every file that its parts come from
        self.asked: list[str] = []  # method, name and part of every request

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class FolderHandler(BaseHTTPRequestHandler):
    server: FolderServer

    def do_HEAD(self) -> None:
        self.answer(is_head=True)

    def do_GET(self) -> None:
        self.answer(is_head=False)

    def answer(self, is_head: bool) -> None:
        server, name = self.server, self.path.partition("?")[0].strip("/")
        server.asked.append(f"{self.command} {name} {self.headers.get('Range', '')}".strip())
        if not name:
            self.page()
            return
        if name not in server.files:
            self.send_error(404)
            return
        whole = server.files[name]
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        first, last = (int(wanted[1]), int(wanted[2])) if wanted else (0, len(whole) - 1)
        body = whole[: server.cut_to if wanted else None][first : last + 1]
        if wanted and not body:
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{len(whole)}")
        if server.knows_etags:
            self.send_header("ETag", f'"{hashlib.md5(whole).hexdigest()}"')
        if server.knows_lengths:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if is_head:
            return
        if wanted and server.break_next:
            server.break_next -= 1
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)

    def page(self) -> None:
        body = "".join(f'<a href="{name}">{name}</a>\n' for name in self.server.files).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *values: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[FolderServer]:
    with serving(FolderServer()) as running:
        yield running
