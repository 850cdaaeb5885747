"""Reads CSV files, compressed or not, and requires every row to have as many fields as the header.

Otherwise, fields would shift, and a review with an unquoted comma would lose its beginning.
"""

import csv
import lzma
import re
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

# RuntimeError: a zip file that has a password or uses a compression method that this Python does not support.
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
# Spreadsheets treat a cell that begins with one of these characters as a formula; the last four are fullwidth forms.
_FORMULA_PREFIXES: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# The columns of a vote export, in which formulas are escaped.
EXPORT_COLUMNS: Final = ("text", "label", "person", "state")
# As in RFC 4180. The csv module quotes fields that contain any character of the line end, including a carriage return.
LINE_END: Final = "\r\n"
# By default, a field is limited to 128 Ki characters, and a review may be longer.
csv.field_size_limit(1 << 24)


def escape_formula(text: str) -> str:
    """Prefix ``text`` with an apostrophe if a spreadsheet would read it as a formula, unless it is just a number.

    A text that already looks escaped gets another apostrophe, so that ``unescape_formula`` restores every text.
    """
    is_formula = text.lstrip("'").startswith(_FORMULA_PREFIXES) and not _NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


def unescape_formula(text: str) -> str:
    """Undo ``escape_formula``."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULA_PREFIXES) else text


def csv_rows(path: Path, file: BinaryIO, chunk_rows: int) -> Iterator[pd.DataFrame]:
    """Yield the rows of ``file``, which was opened from ``path``, as string tables of at most ``chunk_rows`` rows.

    Escaped formulas in a vote export are unescaped.
    Raises EmptyTable if there are no rows, and UnreadableTable if a row does not fit the header or cannot be read.
    """
    line = 0
    try:
        with _open_text(path, file) as lines:
            reader = csv.reader(lines, strict=True)
            try:
                header = next(reader, [])
                rows = _checked_rows(path, header, reader)
                has_rows = False
                while chunk := list(islice(rows, chunk_rows)):
                    has_rows = True
                    yield pd.DataFrame(chunk, columns=pd.Index(header), dtype=str)
            finally:
                line = reader.line_num
    except _READ_ERRORS as error:
        raise _unreadable(path, f"line {line}: {error}" if isinstance(error, csv.Error) else str(error)) from error
    if not has_rows:
        raise EmptyTable(path=path)


def _checked_rows(path: Path, header: Sequence[str], reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """Yield every row except blank lines, after checking that it has as many fields as the header."""
    named = [name for name in header if name]
    for name in named:
        if named.count(name) > 1:
            raise _unreadable(path, f"it has two columns named {name}")
    escaped = header.index(EXPORT_COLUMNS[0]) if set(EXPORT_COLUMNS) <= set(header) else None
    for number, row in enumerate(filter(None, reader), start=1):
        if len(row) != len(header):
            fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
            reason = f"data row {number} has {fields} and the header {len(header)}; a review with commas needs quotes"
            raise _unreadable(path, reason)
        if escaped is not None:
            row[escaped] = unescape_formula(row[escaped])
        yield row


@contextmanager
def _open_text(path: Path, file: BinaryIO) -> Iterator[TextIOWrapper]:
    """Open a file as text, decompressed according to its suffix."""
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if len(names) != 1:
                raise _unreadable(path, f"it contains {len(names)} CSV files instead of one")
            with archive.open(names[0]) as member, TextIOWrapper(member, "utf-8-sig", newline="") as lines:
                yield lines
        return
    opener = OPENERS.get(suffix)
    stream = cast(BinaryIO, opener(file, "rb")) if opener else file
    with TextIOWrapper(stream, "utf-8-sig", newline="") as lines:
        yield lines


def _unreadable(path: Path, reason: str) -> UnreadableTable:
    return UnreadableTable(path=path, format="CSV", reason=reason)
