"""Replaces files atomically: a reader sees the old file or the new file, never a partial one."""

import bz2
import gzip
import lzma
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, TextIO, cast

from core.errors import UnwritableFile

# Functions that open compressed files. They all take the same arguments.
OPENERS: Final[dict[str, Callable[..., IO[Any]]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}

_PRIVATE: Final = 0o600


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Yield a hidden path beside ``path`` to write to, and rename it to ``path`` when the block ends without an error.

    After an error, the hidden file is removed and ``path`` is unchanged. The rename is atomic for readers. If the
    content must also survive a power cut, call ``fsync`` in the block. Raise OSError if the file can't be replaced.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink()


def replaceable(path: Path) -> Path:
    """Return the file to replace, which is the target if ``path`` is a link.

    Raise UnwritableFile if it is not a regular file, for example a folder or a device, or if it cannot be reached.
    """
    try:
        target = path.resolve()
        # The path itself is checked, because /dev/stdout may be a link to a pipe, and a pipe has no path.
        if path.exists() and not path.is_file():
            raise UnwritableFile(path=path, reason="it is a folder" if path.is_dir() else "it is not a regular file")
    except OSError as error:
        raise UnwritableFile(path=path, reason=error.strerror) from error
    return target


def fsync(path: Path) -> None:
    """Flush a file or a folder's entries to disk. Raise OSError on failure."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def atomic_write(path: Path) -> Iterator[TextIO]:
    """Open a UTF-8 text file. When the block ends without an error, flush it to disk and replace ``path`` with it.

    Only the owner can read the file, because it may contain people's texts. The file is compressed if its suffix is in
    ``OPENERS``. If ``path`` is a link, the link's target is replaced. Raise UnwritableFile if the file can't be
    written. If possible, the error is raised before the block runs.
    """
    target = replaceable(path)
    opener: Callable[..., IO[Any]] = OPENERS.get(target.suffix.lower(), open)
    try:
        with replaced(target) as part:
            part.touch(_PRIVATE)
            part.chmod(_PRIVATE)
            with cast(TextIO, opener(part, "wt", encoding="utf-8", newline="")) as output:
                yield output
            fsync(part)
    except OSError as error:
        raise UnwritableFile(path=path, reason=error.strerror) from error
