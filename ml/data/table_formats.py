"""Opens a file according to its content rather than its name, and recognises formats that are not text tables."""

import bz2
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, BinaryIO, Final, cast

from ml.errors import UnreadableTable

# Errors raised when a damaged file is read. RuntimeError is for a zip file with a password or unsupported compression.
READ_ERRORS: Final = (OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, RuntimeError)
_OPENERS: Final[dict[bytes, Callable[..., Any]]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OTHER_FORMS: Final = {
    b"\xff\xfe": "is encoded in UTF-16; save it in UTF-8",
    b"\xfe\xff": "is encoded in UTF-16; save it in UTF-8",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook; save it as CSV in UTF-8",
    b"SQLite format 3": "is an SQLite database",
    b"%PDF": "is a PDF document",
}
_MARKUP: Final = re.compile(rb"\s*<(?:!doctype|html|\?xml)", re.IGNORECASE)
_JSON_ARRAY: Final = re.compile(rb"\s*\[\s*\{")
_TAR_MAGIC: Final = slice(257, 262)
_TABLE_SUFFIXES: Final = (".csv", ".tsv", ".jsonl")


class TableForm(Enum):
    """The supported table formats."""

    CSV = "CSV"
    JSON_LINES = "JSON lines"
    PARQUET = "parquet"


@contextmanager
def open_table(path: Path, file: BinaryIO) -> Iterator[tuple[TableForm, BinaryIO]]:
    """Yield the format and the decompressed content of ``file``, which was opened from ``path``.

    Raise UnreadableTable if the format is not a supported table format.
    """
    start = _peek(file)
    if start.startswith(_ZIP):
        with zipfile.ZipFile(file) as archive, archive.open(_table_in(path, archive)) as member:
            content = cast(BinaryIO, member)
            yield _form(path, _peek(content)), content
        return
    opener = next((opener for magic, opener in _OPENERS.items() if start.startswith(magic)), None)
    content = file if opener is None else cast(BinaryIO, opener(file, "rb"))
    yield _form(path, _peek(content)), content


def is_parquet(path: Path) -> bool:
    """Return whether the file at ``path`` is a parquet file. Raise OSError if it cannot be read."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _table_in(path: Path, archive: zipfile.ZipFile) -> str:
    """Return the only table in a zip file. Ignore hidden files and files added by macOS."""
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if "xl/workbook.xml" in names:
        raise UnreadableTable(path=path, format="CSV", reason="it is an Excel workbook; save it as CSV in UTF-8")
    tables = [name for name in names if name.lower().endswith(_TABLE_SUFFIXES) and not is_hidden(PurePosixPath(name))]
    if len(tables) != 1:
        raise UnreadableTable(path=path, format="CSV", reason=f"it contains {len(tables)} CSV files instead of one")
    return tables[0]


def is_hidden(name: PurePath) -> bool:
    """Return whether a file or a folder above it is hidden, or was added to an archive by macOS."""
    return any(level.startswith(".") or level == "__MACOSX" for level in name.parts)


def _form(path: Path, start: bytes) -> TableForm:
    if start.startswith(b"PAR1"):
        return TableForm.PARQUET
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return TableForm.JSON_LINES
    other = next((words for magic, words in _OTHER_FORMS.items() if start.startswith(magic)), None)
    if _MARKUP.match(start):
        other = "is a web page or XML"
    if _JSON_ARRAY.match(start):
        other = "is a JSON array; write one object per line"
    if start[_TAR_MAGIC] == b"ustar":
        other = "is a tar archive; give it a name that ends in .tar or .tar.gz, or unpack it"
    if other is not None:
        raise UnreadableTable(path=path, format="CSV", reason=f"it {other}")
    return TableForm.CSV


def _peek(file: BinaryIO) -> bytes:
    """Return the first bytes of a buffered file without moving its position."""
    return bytes(cast(Any, file).peek(512)[:512])
