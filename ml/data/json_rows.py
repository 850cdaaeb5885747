"""Reads JSON lines, with one object per line. The first object determines the fields."""

import json
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from ml.errors import EmptyTable, UnreadableTable


def json_rows(path: Path, file: BinaryIO, chunk_rows: int) -> Iterator[pd.DataFrame]:
    """Yield the rows of ``file`` as tables of JSON values with at most ``chunk_rows`` rows. Missing values are None.

    Raise EmptyTable if there are no rows, and UnreadableTable if a line is not an object or has a field that the first
    line lacks.
    """
    with TextIOWrapper(file, "utf-8-sig") as lines:
        rows = _objects(path, lines)
        first = next(rows, None)
        if first is None:
            raise EmptyTable(path=path)
        columns = pd.Index(list(first))
        chunk = [first, *islice(rows, chunk_rows - 1)]
        while chunk:
            yield pd.DataFrame(chunk, columns=columns, dtype=object)
            chunk = list(islice(rows, chunk_rows))


def _objects(path: Path, lines: TextIOWrapper) -> Iterator[dict[str, Any]]:
    fields: dict[str, Any] | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise _unreadable(path, f"line {number} is not JSON ({error})") from error
        if not isinstance(row, dict):
            raise _unreadable(path, f"line {number} is not an object")
        fields = row if fields is None else fields
        if more := row.keys() - fields.keys():
            raise _unreadable(path, f"line {number} has the field {min(more)}, which the first line lacks")
        yield {name: row.get(name) for name in fields}


def _unreadable(path: Path, reason: str) -> UnreadableTable:
    return UnreadableTable(path=path, format="JSON lines", reason=reason)
