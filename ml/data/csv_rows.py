"""Reads CSV strictly: every row must have as many fields as the header, and the whole file must be UTF-8.

A more lenient reader would shift fields, and a review with an unquoted comma would lose its beginning. Fields can also
be separated by semicolons, tabs or vertical bars. The separator is detected from the header line.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from textwrap import shorten
from typing import BinaryIO, Final

import pandas as pd

from ml.data.csv_format import EXPORT_COLUMNS, unescape_formula
from ml.errors import EmptyTable, UnreadableTable

# The supported separators and their names.
_SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# Matches the line in which Excel declares a file's separator.
_SEPARATOR_LINE: Final = re.compile(r"sep=([,;\t|])\s*")
# Bytes that are not UTF-8, as decoded by the surrogateescape error handler.
_ESCAPED_BYTE: Final = re.compile("[\udc80-\udcff]")
_LONGEST_NAME: Final = 40
# By default, a field is limited to 128 Ki characters, and a review may be longer.
csv.field_size_limit(1 << 24)


def csv_rows(path: Path, file: BinaryIO, chunk_rows: int) -> Iterator[pd.DataFrame]:
    """Yield the rows of ``file``, which was opened from ``path``, as string tables of at most ``chunk_rows`` rows.

    Unescape the formulas in a vote export. Raise EmptyTable if there are no rows, and UnreadableTable if a row does not
    match the header or cannot be read.
    """
    has_rows = False
    with TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="") as text:
        lines = _utf8_lines(path, text)
        first = next(lines, "")
        found = _SEPARATOR_LINE.fullmatch(first)
        separator = found[1] if found else _separator(first)
        reader = csv.reader(lines if found else chain([first], lines), delimiter=separator, strict=True)
        try:
            header = next(reader, [])
            rows = _checked_rows(path, header, reader, _SEPARATORS[separator])
            while chunk := list(islice(rows, chunk_rows)):
                has_rows = True
                yield pd.DataFrame(chunk, columns=pd.Index(header), dtype=str)
        except csv.Error as error:
            raise _unreadable(path, f"line {reader.line_num}: {error}") from error
    if not has_rows:
        raise EmptyTable(path=path)


def _utf8_lines(path: Path, lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines, after checking that each is valid UTF-8."""
    for number, line in enumerate(lines, start=1):
        if not line.isascii() and (found := _ESCAPED_BYTE.search(line)):
            reason = f"line {number} has the byte 0x{ord(found[0]) - 0xDC00:02x}, which is not UTF-8"
            raise _unreadable(path, f"{reason}; it may be Windows-1252: save the file in UTF-8")
        yield line


def _separator(header: str) -> str:
    """Return the separator in a header line.

    The separator is a comma, unless the line contains only a different one.
    """
    fields = {each: len(next(csv.reader([header], delimiter=each), [])) for each in _SEPARATORS}
    most = max(fields, key=fields.__getitem__)
    return "," if fields[","] > 1 else most


def _checked_rows(
    path: Path, header: Sequence[str], reader: Iterator[list[str]], separators: str
) -> Iterator[list[str]]:
    """Yield every row except blank lines, after checking that it has as many fields as the header."""
    named = [name for name in header if name]
    for name in named:
        if named.count(name) > 1:
            raise _unreadable(path, f"it has two columns named {shorten(name, _LONGEST_NAME, placeholder='...')}")
    escaped = header.index(EXPORT_COLUMNS[0]) if set(EXPORT_COLUMNS) <= set(header) else None
    for number, row in enumerate(filter(None, reader), start=1):
        if len(row) != len(header):
            fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
            reason = f"data row {number} has {fields} and the header {len(header)}; a review with {separators} needs"
            raise _unreadable(path, f"{reason} quotes")
        if escaped is not None:
            row[escaped] = unescape_formula(row[escaped])
        yield row


def _unreadable(path: Path, reason: str) -> UnreadableTable:
    return UnreadableTable(path=path, format="CSV", reason=reason)
