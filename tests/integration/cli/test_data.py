"""Complete, interrupted and corrupt downloads over real HTTP, and the download command."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import ml.data.download
from cli import data
from core.errors import UnwritableFile
from ml.data.download import RemoteFile, download
from ml.errors import DownloadFailed

CONTENT = bytes(range(256)) * 20_000


class FileServer(ThreadingHTTPServer):
    """Serves CONTENT and ranges of it. The first response is cut off after ``cut_after`` bytes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.cut_after: int | None = None
        self.with_ranges = True
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/reviews.tar.gz"


class Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        wanted = self.headers["Range"]
        self.server.ranges.append(wanted)
        if not self.path.endswith("reviews.tar.gz"):
            self.send_error(404)
            return
        if not self.server.with_ranges:
            wanted = None
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        end = len(CONTENT) if self.server.cut_after is None else start + self.server.cut_after
        self.server.cut_after = None
        with suppress(ConnectionError):
            self.wfile.write(CONTENT[start:end])

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def source(server: FileServer) -> RemoteFile:
    return RemoteFile(server.url, hashlib.md5(CONTENT).hexdigest())


def test_a_file_is_downloaded_once_and_progress_is_reported(server: FileServer, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "reviews.tar.gz"
    seen: list[tuple[int, int | None]] = []
    download(source(server), target, lambda received, total: seen.append((received, total)))
    assert target.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    download(source(server), target, lambda received, total: seen.append((received, total)))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert server.ranges == [None]


def test_an_interrupted_download_is_resumed(server: FileServer, tmp_path: Path) -> None:
    target = tmp_path / "reviews.tar.gz"
    server.cut_after = 3_000_000
    with pytest.raises(DownloadFailed, match="Run the command again to continue"):
        download(source(server), target, lambda *_: None)
    assert not target.exists()
    kept = (tmp_path / "reviews.tar.gz.part").stat().st_size
    assert 0 < kept <= 3_000_000
    download(source(server), target, lambda *_: None)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={kept}-"]


def test_a_server_without_ranges_starts_over(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "reviews.tar.gz.part").write_bytes(CONTENT[:1000])
    server.with_ranges = False
    download(source(server), tmp_path / "reviews.tar.gz", lambda *_: None)
    assert (tmp_path / "reviews.tar.gz").read_bytes() == CONTENT


def test_a_complete_part_file_is_renamed(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "reviews.tar.gz.part").write_bytes(CONTENT)
    download(source(server), tmp_path / "reviews.tar.gz", lambda *_: None)
    assert server.ranges == [f"bytes={len(CONTENT)}-"]
    assert [path.name for path in tmp_path.iterdir()] == ["reviews.tar.gz"]


def test_a_different_file_at_the_path_is_kept(server: FileServer, tmp_path: Path) -> None:
    target = tmp_path / "reviews.tar.gz"
    target.write_text("notes", encoding="utf-8")
    with pytest.raises(UnwritableFile, match="a different file is already there"):
        download(source(server), target, lambda *_: None)
    assert target.read_text(encoding="utf-8") == "notes"
    assert server.ranges == []


def test_a_missing_file_on_the_server_is_an_error(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="404") as caught:
        download(RemoteFile(f"{server.url}.old", "0" * 32), tmp_path / "reviews.tar.gz", lambda *_: None)
    assert "\n" not in str(caught.value)


def test_a_path_that_cannot_be_written_is_an_error(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(DownloadFailed, match="put the file at"):
        download(source(server), tmp_path / "file" / "reviews.tar.gz", lambda *_: None)


def test_the_command_saves_the_file_in_a_folder_and_prints_how_to_use_it(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ml.data.download, "IMDB", source(server))
    data.fetch(to=tmp_path)
    target = tmp_path / "reviews.tar.gz"
    assert target.read_bytes() == CONTENT
    printed = capsys.readouterr()
    assert printed.out == f"The reviews are in {target}. To use them, set IMDB_PATH={target} or pass --data {target}\n"
    assert "5.1/5.1 MB" in printed.err


def test_a_different_file_is_rejected_and_deleted(server: FileServer, tmp_path: Path) -> None:
    target = tmp_path / "reviews.tar.gz"
    with pytest.raises(DownloadFailed, match="differs from the published file"):
        download(RemoteFile(server.url, "0" * 32), target, lambda *_: None)
    assert list(tmp_path.iterdir()) == []


def test_an_unreachable_server_is_an_error_that_says_where_to_put_the_file(tmp_path: Path) -> None:
    with FileServer() as gone:
        address = gone.url
    with pytest.raises(DownloadFailed, match="put the file at"):
        download(RemoteFile(address, "0" * 32), tmp_path / "reviews.tar.gz", lambda *_: None)
