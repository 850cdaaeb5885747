"""Adds verdicts to a CSV file of any size, in chunks of a few hundred rows."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pandas as pd

from cli.errors import ColumnTaken
from core.errors import MissingFile
from core.files import atomic_write
from ml.data.csv_format import LINE_END, escape_formula
from ml.data.reviews import TEXT_COLUMNS, find_column, text_column
from ml.data.table_reader import table_rows
from ml.errors import UnreadableTable
from ml.text.labels import LABELS

if TYPE_CHECKING:
    from ml.serving.answers import Answer

CHUNK_ROWS = 256
LABEL, CONFIDENCE, REASON = "label", "confidence", "reason"
NEGATIVE, POSITIVE = LABELS

# Called with the number of bytes and rows read so far.
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class CsvSummary:
    """The number of rows written in total, per label and without a verdict, and the time taken in seconds."""

    rows: int
    positive: int
    negative: int
    without: int
    seconds: float


def add_verdicts(
    source: Path,
    target: Path,
    answer: "Callable[[Sequence[str]], Sequence[Answer]]",
    column: str | None = None,
    on_progress: OnProgress = lambda position, rows: None,
) -> CsvSummary:
    """Copy the table at ``source`` to the CSV file ``target``, adding the columns label, confidence and reason.

    A row without a verdict has no label, and its reason says why.

    Cells that a spreadsheet would treat as formulas get a leading apostrophe.

    The reviews are in ``column``, or by default in a column named review or text. Raise MissingFile, UnreadableTable,
    EmptyTable, MissingColumn, ColumnTaken or UnwritableFile.
    """
    started = time.monotonic()
    rows = 0
    labels: Counter[str | None] = Counter()
    with open_binary(source) as file, atomic_write(target) as output:
        for chunk in table_rows(source, file, CHUNK_ROWS):
            reviews = text_column(source, chunk, _review_column(source, list(chunk.columns), column))
            answers = answer(reviews.tolist())
            result = _without_formulas(chunk)
            result[LABEL] = [each.label for each in answers]
            result[CONFIDENCE] = [each.confidence for each in answers]
            result[REASON] = [each.reason for each in answers]
            result.to_csv(output, header=rows == 0, index=False, float_format="%.4f", lineterminator=LINE_END)
            rows += len(chunk)
            labels.update(each.label for each in answers)
            on_progress(file.tell(), rows)
    return CsvSummary(rows, labels[POSITIVE], labels[NEGATIVE], labels[None], time.monotonic() - started)


def _without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table, escaping cells and column names that a spreadsheet would treat as formulas."""
    escaped = table.map(lambda value: escape_formula(value) if isinstance(value, str) else value)
    return escaped.rename(columns=lambda name: escape_formula(str(name)))


def _review_column(path: Path, columns: list[str], wanted: str | None) -> str:
    """Return the name of the column with the reviews.

    Raise MissingColumn if there is none, or ColumnTaken if the table already has one of the columns to add.
    """
    for column in (LABEL, CONFIDENCE, REASON):
        if column in columns:
            raise ColumnTaken(path=path, column=column)
    return find_column(path, columns, TEXT_COLUMNS if wanted is None else (wanted,))


@contextmanager
def open_binary(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading in binary mode. Raise MissingFile or UnreadableTable on failure."""
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise MissingFile(path=path) from error
    except OSError as error:
        raise UnreadableTable(path=path, format="CSV", reason=error.strerror) from error
    with file:
        yield file
