"""Adds verdicts to a CSV file of any size, a few hundred rows at a time.

The result is written beside its place and takes it at the end, so a run that is broken off leaves nothing behind.
"""

import bz2
import gzip
import lzma
import os
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, TextIO, cast

import pandas as pd
from pandas.errors import EmptyDataError, ParserError

from config.errors import ColumnTaken, EmptyTable, MissingColumn, MissingFile, UnreadableTable, UnwritableFile
from ml.labels import LABELS

if TYPE_CHECKING:
    from ml.prediction import Verdict

ROWS_AT_ONCE = 256
REVIEW_COLUMNS = ("review", "text")
LABEL, CONFIDENCE = "label", "confidence"
POSITIVE = LABELS[1]
_TOO_MANY_FIELDS = "its rows have more fields than its header; a review with commas needs quotes"

# The modules of the standard library open compressed files alike.
_OPENERS: dict[str, Callable[..., IO[Any]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}

# Given the bytes of the file and the rows that have been read so far.
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written: rows in all, rows of each label, and how long it took."""

    rows: int
    positive: int
    negative: int
    seconds: float


def add_verdicts(
    source: Path,
    target: Path,
    classify: "Callable[[Sequence[str]], Sequence[Verdict]]",
    column: str | None = None,
    on_progress: OnProgress = lambda position, rows: None,
) -> Summary:
    """Copy the table at ``source`` to ``target`` with the columns label and confidence added.

    The reviews stand in ``column``, or in review or text. Raises MissingFile, UnreadableTable, EmptyTable,
    MissingColumn, ColumnTaken or UnwritableFile.
    """
    started = time.monotonic()
    rows = positive = 0
    with _readable(source) as file, _replaced(target) as output:
        for chunk in _chunks(source, file):
            reviews = chunk[review_column(source, list(chunk.columns), column)]
            verdicts = classify(reviews.tolist())
            chunk[LABEL] = [verdict.label for verdict in verdicts]
            chunk[CONFIDENCE] = [verdict.confidence for verdict in verdicts]
            chunk.to_csv(output, header=rows == 0, index=False, float_format="%.4f", lineterminator="\n")
            rows += len(chunk)
            positive += sum(verdict.label == POSITIVE for verdict in verdicts)
            on_progress(file.tell(), rows)
        if rows == 0:
            raise EmptyTable(path=source)
    return Summary(rows, positive, rows - positive, time.monotonic() - started)


def review_column(path: Path, columns: list[str], wanted: str | None) -> str:
    """Pick the column that holds the reviews; raises MissingColumn, or ColumnTaken where a result has no place."""
    for column in (LABEL, CONFIDENCE):
        if column in columns:
            raise ColumnTaken(path=path, column=column)
    names = (wanted,) if wanted is not None else REVIEW_COLUMNS
    for name in names:
        if name in columns:
            return name
    raise MissingColumn(path=path, column=" or ".join(names), columns=", ".join(columns))


@contextmanager
def _readable(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise MissingFile(path=path) from error
    except OSError as error:
        raise UnreadableTable(path=path, format="CSV", reason=error.strerror) from error
    with file:
        yield file


def _chunks(path: Path, file: BinaryIO) -> Iterator[pd.DataFrame]:
    """The rows of ``file``, every value a string, a few hundred at a time."""
    opener = _OPENERS.get(path.suffix.lower())
    stream = cast(BinaryIO, opener(file, "rb")) if opener else file
    try:
        for chunk in pd.read_csv(stream, dtype=str, na_filter=False, encoding="utf-8-sig", chunksize=ROWS_AT_ONCE):
            if not isinstance(chunk.index, pd.RangeIndex):  # pandas takes the first fields of such rows for an index
                raise UnreadableTable(path=path, format="CSV", reason=_TOO_MANY_FIELDS)
            yield chunk
    except EmptyDataError as error:
        raise EmptyTable(path=path) from error
    except (ParserError, UnicodeDecodeError, OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise UnreadableTable(path=path, format="CSV", reason=str(error).strip()) from error


@contextmanager
def _replaced(path: Path) -> Iterator[TextIO]:
    """A file to write that takes the place of ``path`` when the block ends well, and vanishes when it does not."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    opener: Callable[..., IO[Any]] = _OPENERS.get(path.suffix.lower(), open)
    try:
        with cast(TextIO, opener(part, "wt", encoding="utf-8", newline="")) as output:
            yield output
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except OSError as error:
        raise UnwritableFile(path=path, reason=error.strerror) from error
    finally:
        part.unlink(missing_ok=True)
