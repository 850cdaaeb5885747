"""Files that are replaced atomically: a reader sees the old one or the new one, never half of it."""

import bz2
import gzip
import lzma
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, TextIO, cast

from core.errors import UnwritableFile

# The modules of the standard library open compressed files alike.
OPENERS: Final[dict[str, Callable[..., IO[Any]]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}

_PRIVATE: Final = 0o600


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Yield a hidden path beside ``path`` to write to, and rename it to ``path`` when the block ends without an error.

    After an error nothing is left behind and ``path`` is as before. The rename is atomic for readers; call ``fsync`` in
    the block if the content must survive a power cut too. Raises OSError.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink()


def fsync(path: Path) -> None:
    """Flush a file, or the entries of a folder, to disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def atomic_write(path: Path) -> Iterator[TextIO]:
    """Open a UTF-8 text file that replaces ``path``, flushed to disk, when the block ends without an error.

    Only its owner can read the file, since what is written so holds people's texts. It is compressed if its suffix says
    so. If ``path`` is a link, the file that it points to is replaced. Raises
    UnwritableFile, before the block runs where that can be known.
    """
    named = path
    try:
        path = path.resolve()
        opener: Callable[..., IO[Any]] = OPENERS.get(path.suffix.lower(), open)
        if path.exists() and not path.is_file():
            raise UnwritableFile(path=named, reason="it is a folder" if path.is_dir() else "it is not a regular file")
        with replaced(path) as part:
            part.touch(_PRIVATE)
            part.chmod(_PRIVATE)
            with cast(TextIO, opener(part, "wt", encoding="utf-8", newline="")) as output:
                yield output
            fsync(part)
    except OSError as error:
        raise UnwritableFile(path=named, reason=error.strerror) from error
