"""A large file from the web: in pieces that are kept, checked before it takes its name."""

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
    """A file on the web and the MD5 that its publishers' users agree on; it tells a broken copy, not a forged one."""

    url: str
    md5: str


# Maas et al. 2011, 84 MB.
IMDB = RemoteFile("https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz", "7c2ac02c03563afcf9b574c7e56c153a")


def download(source: RemoteFile, target: Path, on_progress: Callable[[int, int | None], None]) -> None:
    """Download ``source`` as ``target``, going on where an earlier try stopped; nothing to do when it is there whole.

    ``on_progress`` hears the bytes that are there and those of the whole file, where known. Raises DownloadFailed, and
    UnwritableFile when something else is at ``target``.
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
    except (httpx.HTTPError, OSError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise DownloadFailed(url=source.url, reason=reason, path=target) from error
    raise DownloadFailed(url=source.url, reason="what came is not the file that was published", path=target)


def _require_complete(source: RemoteFile, target: Path) -> None:
    if not target.is_file() or _md5(target) != source.md5:
        raise UnwritableFile(path=target, reason="what is there is not the file that was published; move it away")


def _resume(source: RemoteFile, part: Path, on_progress: Callable[[int, int | None], None]) -> None:
    have = part.stat().st_size if part.exists() else 0
    wanted = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    with httpx.stream("GET", source.url, headers=wanted, follow_redirects=True, timeout=_SECONDS) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it is there
        answer.raise_for_status()
        if answer.status_code != httpx.codes.PARTIAL_CONTENT:
            have = 0
        length = answer.headers.get("Content-Length")
        whole = have + int(length) if length else None
        with part.open("ab" if have else "wb") as file:
            for piece in answer.iter_bytes(_PIECE):
                file.write(piece)
                have += len(piece)
                on_progress(have, whole)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
