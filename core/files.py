"""A file that is written beside its place and takes it at the end, so a command that is broken off leaves nothing."""

import bz2
import gzip
import lzma
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, TextIO, cast

from core.errors import UnwritableFile

# The modules of the standard library open packed files alike.
OPENERS: Final[dict[str, Callable[..., IO[Any]]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


@contextmanager
def atomic_write(path: Path) -> Iterator[TextIO]:
    """A text file that takes the place of ``path`` when the block ends well, and vanishes when it does not.

    It is packed as its name says; of a link, the file that it leads to is replaced. Raises UnwritableFile, before the
    block runs where it can be known.
    """
    path = path.resolve()
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    opener: Callable[..., IO[Any]] = OPENERS.get(path.suffix.lower(), open)
    try:
        if path.exists() and not path.is_file():
            raise UnwritableFile(path=path, reason="it is a folder" if path.is_dir() else "it is no file")
        with cast(TextIO, opener(part, "wt", encoding="utf-8", newline="")) as output:
            yield output
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except OSError as error:
        raise UnwritableFile(path=path, reason=error.strerror) from error
    finally:
        with suppress(OSError):
            part.unlink()
