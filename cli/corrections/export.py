"""Writes votes to a table in batches of a few hundred texts, so that a large export needs little memory."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, TextIO, cast

from bot.sending.votes_table import COLUMNS, Row, WriteRows, csv_writer
from core.files import OPENERS, atomic_write

Writer = Callable[[TextIO], AbstractContextManager[WriteRows]]


def write_rows(path: Path, chunks: Iterable[list[Row]]) -> int:
    """Write a table in the format indicated by the file's suffix, and return the row count.

    Raise UnwritableFile on failure.
    """
    written = 0
    with atomic_write(path) as output, WRITERS[file_suffix(path)](output) as write:
        for rows in chunks:
            write(rows)
            written += len(rows)
    return written


def file_suffix(path: Path) -> str:
    """Return the file name's last suffix in lower case, or an empty string. Compression suffixes don't count."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix not in OPENERS), "")


@contextmanager
def _jsonl(output: TextIO) -> Iterator[WriteRows]:
    yield lambda rows: output.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@contextmanager
def _parquet(output: TextIO) -> Iterator[WriteRows]:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    with ParquetWriter(cast(Any, output).buffer, schema) as table:
        yield lambda rows: table.write_table(pa.Table.from_pylist(rows, schema=schema))


WRITERS: Final[dict[str, Writer]] = {".csv": csv_writer, ".jsonl": _jsonl, ".parquet": _parquet}
