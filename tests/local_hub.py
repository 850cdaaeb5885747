"""A local Hugging Face hub on 127.0.0.1, and a client that runs programs against it."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
# Files by repository, such as models/owner/name, and path.
Repositories = Mapping[str, Mapping[str, bytes]]


class Hub(ThreadingHTTPServer):
    """Serves ``repositories``.

    Downloads of owner/torn break off, owner/gated is forbidden, and other repositories do not exist.
    """

    def __init__(self, repositories: Repositories) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories = repositories


class Handler(BaseHTTPRequestHandler):
    """The part of the hub's HTTP API that a download uses: revision, file list and files."""

    server: Hub

    def do_GET(self) -> None:
        self._respond(with_body=True)

    def do_HEAD(self) -> None:
        self._respond(with_body=False)

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""

    def _respond(self, with_body: bool) -> None:
        path = self.path.partition("?")[0]
        for name, files in self.server.repositories.items():
            inside = path.partition(f"/{name.removeprefix('models/')}/resolve/{COMMIT}/")[2]
            if path == f"/api/{name}/revision/main":
                self._send_json({"id": name, "sha": COMMIT, "siblings": []}, with_body)
            elif path == f"/api/{name}/tree/{COMMIT}":
                self._send_json([_entry(at, len(content)) for at, content in files.items()], with_body)
            elif inside in files:
                self._send(files[inside], with_body)
            else:
                continue
            return
        if "/owner/torn/" in path:
            self._break_off(path, with_body)
        elif "/owner/gated/" in path:
            self._send_error_code(403, "GatedRepo")
        else:
            self._send_error_code(404, "RepoNotFound")

    def _break_off(self, path: str, with_body: bool) -> None:
        """Announce a file, and close the connection before all of it is sent."""
        if "/revision/" in path:
            self._send_json({"id": "owner/torn", "sha": COMMIT, "siblings": []}, with_body)
        elif "/tree/" in path:
            self._send_json([_entry("model.safetensors", 100), _entry("train.csv", 100)], with_body)
        else:
            self._send(b"half", with_body, announced_size=100)

    def _send_error_code(self, status: int, reason: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", reason)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_json(self, facts: object, with_body: bool) -> None:
        self._send(json.dumps(facts).encode(), with_body)

    def _send(self, body: bytes, with_body: bool, announced_size: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(announced_size or len(body)))
        self.send_header("Content-Type", "application/json")
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if with_body:
            self.wfile.write(body)


def _entry(path: str, size: int) -> dict[str, str | int]:
    return {"type": "file", "path": path, "size": size, "oid": path}


@dataclass(frozen=True)
class HubClient:
    """Runs a program against the hub in a separate process, since the hub's library reads its settings only once.

    The program takes a name as its argument, and exits with the error message for that name.
    """

    program: str
    home: Path
    address: str

    def find(self, name: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "HF_HOME": str(self.home),
            "HF_ENDPOINT": self.address,
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_XET": "1",
            **settings,
        }
        command = [sys.executable, "-c", self.program, name]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def error_of(self, name: str, **settings: str) -> str:
        """Return the error message for ``name``."""
        result = self.find(name, **settings)
        assert result.returncode == 1, result.stdout
        assert "Traceback" not in result.stderr
        return result.stderr.splitlines()[-1]


@contextmanager
def run_hub(program: str, repositories: Repositories, home: Path) -> Iterator[HubClient]:
    """Run a hub with these repositories, and yield a client for it."""
    with Hub(repositories) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield HubClient(program, home, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()
