"""Reads the rows of a table in any supported format: CSV, JSON lines or parquet, compressed or not."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from ml.data.csv_rows import csv_rows
from ml.data.json_rows import json_rows
from ml.data.table_formats import READ_ERRORS, TableForm, open_table
from ml.errors import EmptyTable, UnreadableTable


def table_rows(path: Path, file: BinaryIO, chunk_rows: int) -> Iterator[pd.DataFrame]:
    """Yield the rows of ``file``, opened from ``path``, in tables of up to ``chunk_rows`` rows.

    A parquet file becomes a single table.

    CSV values are strings. Raise EmptyTable if there are no rows, and UnreadableTable if the file cannot be read.
    """
    try:
        with open_table(path, file) as (form, content):
            if form is TableForm.PARQUET:
                yield read_parquet(path)
            else:
                yield from (csv_rows if form is TableForm.CSV else json_rows)(path, content, chunk_rows)
    except UnicodeDecodeError as error:
        raise UnreadableTable(path=path, format="JSON lines", reason="it is not UTF-8") from error
    except READ_ERRORS as error:
        raise UnreadableTable(path=path, format="CSV", reason=str(error)) from error


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a parquet file.

    Raise EmptyTable if there are no rows, and UnreadableTable if the file cannot be read or pyarrow is missing.
    """
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError, ImportError) as error:
        raise UnreadableTable(path=path, format="parquet", reason=str(error).partition("\n")[0]) from error
    if table.empty:
        raise EmptyTable(path=path)
    return table
