"""Downloads a large file: resumes partial downloads, and verifies the file before renaming it into place."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from core.errors import UnwritableFile
from ml.errors import DownloadFailed

_PIECE = 1 << 20
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on the web and its published MD5, which detects a corrupt copy but not a forged one."""

    url: str
    md5: str


# The IMDB data from Maas et al. 2011, 84 MB.
IMDB = RemoteFile("https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz", "7c2ac02c03563afcf9b574c7e56c153a")


def download(source: RemoteFile, target: Path, on_progress: Callable[[int, int | None], None]) -> None:
    """Download ``source`` to ``target``, resuming an earlier attempt, or do nothing if ``target`` is complete.

    ``on_progress`` is called with the number of bytes downloaded so far and the total, if known. Raise DownloadFailed
    if the download fails, and UnwritableFile if a different file exists at ``target``.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        if target.exists():
            _require_complete(source, target)
            on_progress(target.stat().st_size, target.stat().st_size)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        _resume(source, part, on_progress)
        if _md5(part) == source.md5:
            part.rename(target)
            return
        part.unlink()
    # The last three errors mean that a proxy from the environment cannot be used.
    except (httpx.HTTPError, OSError, ValueError, ImportError, httpx.InvalidURL) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise DownloadFailed(url=source.url, reason=reason, path=target) from error
    raise DownloadFailed(url=source.url, reason="the downloaded file differs from the published file", path=target)


def _require_complete(source: RemoteFile, target: Path) -> None:
    if not target.is_file() or _md5(target) != source.md5:
        raise UnwritableFile(path=target, reason="a different file is already there; move it away")


def _resume(source: RemoteFile, part: Path, on_progress: Callable[[int, int | None], None]) -> None:
    offset = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={offset}-"} if offset else {})}
    with httpx.stream("GET", source.url, headers=headers, follow_redirects=True, timeout=_SECONDS) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # the partial file is already complete
        response.raise_for_status()
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            offset = 0
        length = response.headers.get("Content-Length")
        total = offset + int(length) if length else None
        with part.open("ab" if offset else "wb") as file:
            for piece in response.iter_bytes(_PIECE):
                file.write(piece)
                offset += len(piece)
                on_progress(offset, total)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
