"""CSV files, packed or not, read strictly: a row with more or fewer fields than the header is refused by its number.

Reading such a row anyway would shift its fields: a review with a comma and no quotes loses its beginning.
"""

import csv
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, cast

import pandas as pd

from core.files import OPENERS
from ml.errors import EmptyTable, UnreadableTable

# RuntimeError: a zip file with a password, or packed in a way that this Python does not know.
_READ_ERRORS = (
    csv.Error,
    UnicodeDecodeError,
    OSError,
    EOFError,
    lzma.LZMAError,
    zlib.error,
    zipfile.BadZipFile,
    RuntimeError,
)
# A spreadsheet reads a cell that begins with one of these as a formula.
_FORMULA_PREFIXES: Final = ("=", "+", "-", "@", "\t", "\r")
# As RFC 4180 has it. The module quotes a field for the characters that end a row, as a carriage return has to be.
LINE_END: Final = "\r\n"
# The module refuses fields of more than 128 Ki characters unless it is told that a review may be a book.
csv.field_size_limit(1 << 24)


def escape_formula(text: str) -> str:
    """``text`` as a spreadsheet may open it: an apostrophe before what it would take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_PREFIXES) else text


def unescape_formula(text: str) -> str:
    """What ``defused`` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA_PREFIXES) else text


def csv_rows(path: Path, file: BinaryIO, chunk_rows: int) -> Iterator[pd.DataFrame]:
    """The rows of ``file``, opened at ``path``, every value a string, at most so many at a time.

    Raises EmptyTable when there is no row, and UnreadableTable when one does not fit the header or cannot be read.
    """
    line = 0
    try:
        with _open_text(path, file) as lines:
            reader = csv.reader(lines, strict=True)
            try:
                header = next(reader, [])
                rows = _checked_rows(path, header, reader)
                found = False
                while chunk := list(islice(rows, chunk_rows)):
                    found = True
                    yield pd.DataFrame(chunk, columns=pd.Index(header), dtype=str)
            finally:
                line = reader.line_num
    except _READ_ERRORS as error:
        raise _unreadable(path, f"line {line}: {error}" if isinstance(error, csv.Error) else str(error)) from error
    if not found:
        raise EmptyTable(path=path)


def _checked_rows(path: Path, header: Sequence[str], reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """Every row but blank lines; each has as many fields as the header."""
    named = [name for name in header if name]
    for name in named:
        if named.count(name) > 1:
            raise _unreadable(path, f"it has two columns named {name}")
    for number, row in enumerate(filter(None, reader), start=1):
        if len(row) != len(header):
            fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
            told = f"data row {number} has {fields} and the header {len(header)}; a review with commas needs quotes"
            raise _unreadable(path, told)
        yield row


@contextmanager
def _open_text(path: Path, file: BinaryIO) -> Iterator[TextIOWrapper]:
    """The unpacked text of a file, as its name says how it is packed."""
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if len(names) != 1:
                raise _unreadable(path, f"it holds {len(names)} CSV files, and one is needed")
            with archive.open(names[0]) as member, TextIOWrapper(member, "utf-8-sig", newline="") as lines:
                yield lines
        return
    opener = OPENERS.get(suffix)
    stream = cast(BinaryIO, opener(file, "rb")) if opener else file
    with TextIOWrapper(stream, "utf-8-sig", newline="") as lines:
        yield lines


def _unreadable(path: Path, reason: str) -> UnreadableTable:
    return UnreadableTable(path=path, format="CSV", reason=reason)
