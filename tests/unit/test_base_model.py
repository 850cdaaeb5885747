"""Where a fine-tune starts: a folder, the packaged encoder, or a hub, which is a small one of our own here."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import ml.base_model
from config.errors import NoBaseModel
from ml.base_model import DEFAULT, find_base_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": b"weights" * 1000,
    "tokenizer.json": b"{}",
    "tokenizer_config.json": b"{}",
    "vocab.txt": b"[PAD]\n[UNK]\n",
    "pytorch_model.bin": b"a pickle",
}
PROGRAM = """
import sys
from config.errors import NoBaseModel
from ml.base_model import find_base_model
try:
    found = find_base_model(sys.argv[1])
except NoBaseModel as error:
    sys.exit(str(error))
print(found.folder)
"""


class Hub(BaseHTTPRequestHandler):
    """As much of the hub's HTTP as a download asks for: what a name points to, its files, and each of them."""

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""

    def _answer(self, with_body: bool) -> None:
        path = self.path.partition("?")[0]
        if path == "/api/models/owner/small/revision/main":
            self._send(json.dumps({"id": "owner/small", "sha": COMMIT, "siblings": []}).encode(), with_body)
        elif path == f"/api/models/owner/small/tree/{COMMIT}":
            tree = [{"type": "file", "path": name, "size": len(FILES[name]), "oid": name} for name in FILES]
            self._send(json.dumps(tree).encode(), with_body)
        elif path.startswith(f"/owner/small/resolve/{COMMIT}/"):
            self._send(FILES[path.rpartition("/")[2]], with_body)
        elif "/owner/torn/" in path:
            self._tear(path, with_body)
        elif "/owner/gated/" in path:
            self._refuse(403, "GatedRepo")
        else:
            self._refuse(404, "RepoNotFound")

    def _tear(self, path: str, with_body: bool) -> None:
        """Say that there are weights, and hang up before their end."""
        if "/revision/" in path:
            self._send(json.dumps({"id": "owner/torn", "sha": COMMIT, "siblings": []}).encode(), with_body)
        elif "/tree/" in path:
            tree = [{"type": "file", "path": "model.safetensors", "size": 100, "oid": "x"}]
            self._send(json.dumps(tree).encode(), with_body)
        else:
            self._send(b"half", with_body, promised=100)

    def _refuse(self, status: int, reason: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", reason)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, body: bytes, with_body: bool, promised: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(promised or len(body)))
        self.send_header("Content-Type", "application/json")
        self.send_header("ETag", f'"{len(body):064x}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if with_body:
            self.wfile.write(body)


@dataclass(frozen=True)
class Searcher:
    """Asks for a base model in a process of its own, since the hub's library reads its settings once."""

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
        command = [sys.executable, "-c", PROGRAM, name]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def sentence(self, name: str, **settings: str) -> str:
        """The sentence that a name is refused with."""
        result = self.find(name, **settings)
        assert result.returncode == 1, result.stdout
        assert "Traceback" not in result.stderr
        return result.stderr.splitlines()[-1]


@pytest.fixture
def searcher(tmp_path: Path) -> Iterator[Searcher]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield Searcher(tmp_path / "hub", f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def test_the_default_is_the_encoder_of_the_package() -> None:
    found = find_base_model(DEFAULT)
    assert found.name == DEFAULT
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        assert (found.folder / name).is_file()


def test_without_the_package_the_default_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ml.base_model, "_PACKAGE", "a_package_that_nobody_installed")
    with pytest.raises(NoBaseModel, match="not installed in this environment"):
        find_base_model(DEFAULT)


def test_a_folder_is_itself(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    assert find_base_model(str(tmp_path)).folder == tmp_path


def test_a_folder_without_a_tokenizer_is_no_base_model(tmp_path: Path) -> None:
    with pytest.raises(NoBaseModel) as caught:
        find_base_model(str(tmp_path))
    assert f"{tmp_path} has no tokenizer.json" in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["no such thing!", "a/b/c", "/nowhere/at/all"])
def test_what_is_neither_folder_nor_hub_name_is_told(name: str) -> None:
    with pytest.raises(NoBaseModel) as caught:
        find_base_model(name)
    assert "neither a folder nor a hub name" in str(caught.value)


def test_a_hub_name_is_downloaded_without_pickles_and_found_again_offline(searcher: Searcher) -> None:
    first = searcher.find("owner/small")
    assert first.returncode == 0, first.stderr
    folder = Path(first.stdout.strip())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        name: content for name, content in FILES.items() if name not in ("pytorch_model.bin", "vocab.txt")
    }
    assert searcher.find("owner/small", HF_HUB_OFFLINE="1").stdout == first.stdout


@pytest.mark.parametrize(
    ("name", "settings", "reason"),
    [
        ("owner/none", {}, "the hub answered 404"),
        ("owner/gated", {}, "the hub answered 403"),
        ("owner/torn", {}, "the download broke off"),
        ("owner/small", {"HF_HUB_OFFLINE": "1"}, "it is not downloaded yet and the hub cannot be reached"),
        (
            "owner/small",
            {"HF_ENDPOINT": "http://127.0.0.1:1"},
            "it is not downloaded yet and the hub cannot be reached",
        ),
    ],
    ids=["unknown", "gated", "torn", "offline", "down"],
)
def test_a_hub_name_that_cannot_be_had_gets_one_sentence(
    searcher: Searcher, name: str, settings: dict[str, str], reason: str
) -> None:
    sentence = searcher.sentence(name, **settings)
    assert sentence.startswith(f"The base model '{name}' was not found: {reason}")
