"""Downloads over real HTTP: whole, broken off, wrong, and as the command does them."""

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


class Shelf(ThreadingHTTPServer):
    """Serves CONTENT, with ranges; breaks the first answer off after ``break_after`` bytes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.break_after: int | None = None
        self.with_ranges = True
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/reviews.tar.gz"


class Handler(BaseHTTPRequestHandler):
    server: Shelf

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
        end = len(CONTENT) if self.server.break_after is None else start + self.server.break_after
        self.server.break_after = None
        with suppress(ConnectionError):
            self.wfile.write(CONTENT[start:end])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with Shelf() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def source(shelf: Shelf) -> RemoteFile:
    return RemoteFile(shelf.url, hashlib.md5(CONTENT).hexdigest())


def test_a_file_is_fetched_once_and_progress_is_told(shelf: Shelf, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "reviews.tar.gz"
    seen: list[tuple[int, int | None]] = []
    download(source(shelf), target, lambda have, whole: seen.append((have, whole)))
    assert target.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    download(source(shelf), target, lambda have, whole: seen.append((have, whole)))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert shelf.ranges == [None]


def test_what_broke_off_goes_on_where_it_stopped(shelf: Shelf, tmp_path: Path) -> None:
    target = tmp_path / "reviews.tar.gz"
    shelf.break_after = 3_000_000
    with pytest.raises(DownloadFailed, match="goes on where it stopped"):
        download(source(shelf), target, lambda *_: None)
    assert not target.exists()
    kept = (tmp_path / "reviews.tar.gz.part").stat().st_size
    assert 0 < kept <= 3_000_000
    download(source(shelf), target, lambda *_: None)
    assert target.read_bytes() == CONTENT
    assert shelf.ranges == [None, f"bytes={kept}-"]


def test_a_server_without_ranges_starts_over(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "reviews.tar.gz.part").write_bytes(CONTENT[:1000])
    shelf.with_ranges = False
    download(source(shelf), tmp_path / "reviews.tar.gz", lambda *_: None)
    assert (tmp_path / "reviews.tar.gz").read_bytes() == CONTENT


def test_what_was_whole_already_takes_its_name(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "reviews.tar.gz.part").write_bytes(CONTENT)
    download(source(shelf), tmp_path / "reviews.tar.gz", lambda *_: None)
    assert shelf.ranges == [f"bytes={len(CONTENT)}-"]
    assert [path.name for path in tmp_path.iterdir()] == ["reviews.tar.gz"]


def test_something_else_at_the_place_is_kept(shelf: Shelf, tmp_path: Path) -> None:
    target = tmp_path / "reviews.tar.gz"
    target.write_text("notes", encoding="utf-8")
    with pytest.raises(UnwritableFile, match="not the file that was published"):
        download(source(shelf), target, lambda *_: None)
    assert target.read_text(encoding="utf-8") == "notes"
    assert shelf.ranges == []


def test_an_answer_that_is_no_file_is_one_sentence(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="404") as caught:
        download(RemoteFile(f"{shelf.url}.old", "0" * 32), tmp_path / "reviews.tar.gz", lambda *_: None)
    assert "\n" not in str(caught.value)


def test_a_place_that_cannot_be_written_is_one_sentence(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(DownloadFailed, match="put the file at"):
        download(source(shelf), tmp_path / "file" / "reviews.tar.gz", lambda *_: None)


def test_the_command_puts_the_file_into_a_folder_and_says_how_to_use_it(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ml.data.download, "IMDB", source(shelf))
    data.fetch(to=tmp_path)
    target = tmp_path / "reviews.tar.gz"
    assert target.read_bytes() == CONTENT
    told = capsys.readouterr()
    assert told.out == f"The reviews are in {target}. Use them with IMDB_PATH={target}, or --data {target}\n"
    assert "5.1/5.1 MB" in told.err


def test_another_file_is_refused_and_not_kept(shelf: Shelf, tmp_path: Path) -> None:
    target = tmp_path / "reviews.tar.gz"
    with pytest.raises(DownloadFailed, match="not the file that was published"):
        download(RemoteFile(shelf.url, "0" * 32), target, lambda *_: None)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_cannot_be_reached_is_one_sentence_that_says_where_to_put_the_file(tmp_path: Path) -> None:
    with Shelf() as gone:
        address = gone.url
    with pytest.raises(DownloadFailed, match="put the file at"):
        download(RemoteFile(address, "0" * 32), tmp_path / "reviews.tar.gz", lambda *_: None)
