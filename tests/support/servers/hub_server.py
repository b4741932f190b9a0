"""A hub on the loopback interface that takes uploads: the calls that huggingface_hub makes, and no more."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.servers.serving import serving


@dataclass
class Hub:
    """What has come: repositories with their settings, files by repository, and the token that was shown."""

    address: str = ""
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    refuses: bool = False


@contextmanager
def loopback_hub() -> Iterator[Hub]:
    """A hub while the block runs."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") == "chunked":
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def _answer(self, content: Any, status: int = 200) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            body, path = self._body(), self.path.partition("?")[0]
            hub.tokens.add(self.headers.get("Authorization", ""))
            if hub.refuses:
                self._answer({"error": "no space is left"}, 403)
            elif path == "/api/repos/create":
                asked = json.loads(body)
                name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
                hub.made[name] = asked
                self._answer({"url": f"{hub.address}/{name}", "name": name, "id": name})
            elif "/preupload/" in path:
                files = json.loads(body)["files"]
                modes = [
                    {
                        "path": f["path"],
                        "uploadMode": "lfs" if f["size"] > 200_000 else "regular",
                        "shouldIgnore": False,
                    }
                    for f in files
                ]
                self._answer({"files": modes})
            elif path.endswith("/info/lfs/objects/batch"):
                objects = json.loads(body)["objects"]
                given = [
                    {**o, "actions": {"upload": {"href": f"{hub.address}/objects/{o['oid']}", "header": {}}}}
                    for o in objects
                ]
                self._answer({"transfer": "basic", "objects": given})
            elif "/commit/" in path:
                name = path.removeprefix("/api/models/").partition("/commit/")[0]
                files = hub.files.setdefault(name, {})
                for line in body.splitlines():
                    entry = json.loads(line)
                    value = entry["value"]
                    if entry["key"] == "file":
                        files[value["path"]] = base64.b64decode(value["content"])
                    elif entry["key"] == "lfsFile":
                        files[value["path"]] = hub.objects[value["oid"]]
                self._answer({"commitUrl": f"{hub.address}/{name}/commit/1", "commitOid": "1", "success": True})
            elif path == "/api/validate-yaml":
                self._answer({"errors": [], "warnings": []})
            else:
                self._answer({"error": f"no {path}"}, 404)

        def do_PUT(self) -> None:
            hub.objects[self.path.rpartition("/")[2]] = self._body()
            self._answer({})

        def do_GET(self) -> None:
            self._answer({"siblings": [], "id": "x", "sha": "0", "private": True})

        def log_message(self, *words: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    with serving(server):
        yield hub
