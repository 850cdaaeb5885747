"""Writes votes to a table in batches of a few hundred texts, so that a large export needs little memory."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO, cast

from cli.corrections.reader import NEITHER
from core.files import OPENERS, atomic_write
from ml.data.csv_rows import EXPORT_COLUMNS, LINE_END, REASON_COLUMN, escape_formula
from storage.chat.messages import get_texts
from storage.db.database import UnitOfWork
from storage.feedback.consensus import ConsensusState
from storage.feedback.eligibility import VotedText, voted_texts
from storage.feedback.file_people import AUTHOR_PREFIX, exported_names

_BATCH_SIZE: Final = 500
_COLUMNS: Final = (*EXPORT_COLUMNS, REASON_COLUMN)

Row = dict[str, str]
WriteRows = Callable[[list[Row]], None]
Writer = Callable[[TextIO], AbstractContextManager[WriteRows]]


def vote_rows(unit: UnitOfWork, quorum: int, admins: frozenset[int], usable_only: bool) -> Iterator[list[Row]]:
    """Yield batches of rows, with one row for each vote if its voter and the text's author consent.

    With ``usable_only``, yield one row for each eligible text instead, with the agreed label and the author. People
    have the names from ``exported_names``. In a row for an eligible text, the name has the prefix AUTHOR_PREFIX.
    """
    texts = (
        text
        for text in voted_texts(unit, quorum, admins)
        if not usable_only or text.consensus.state is ConsensusState.USABLE
    )
    while batch := list(islice(texts, _BATCH_SIZE)):
        contents = get_texts(unit, [text.message_id for text in batch])
        people = {text.author_id for text in batch} | {vote.person_id for text in batch for vote in text.votes}
        names = exported_names(unit, people)
        yield [row for text in batch for row in _rows(text, contents[text.message_id], names, usable_only)]


def write_rows(path: Path, chunks: Iterable[list[Row]]) -> int:
    """Write a table in the format that the suffix names, and return the number of rows.

    Raise UnwritableFile on failure.
    """
    written = 0
    with atomic_write(path) as output, WRITERS[file_suffix(path)](output) as write:
        for rows in chunks:
            write(rows)
            written += len(rows)
    return written


def file_suffix(path: Path) -> str:
    """Return the file name's last suffix in lower case, ignoring suffixes for compression, or an empty string."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix not in OPENERS), "")


def _rows(text: VotedText, content: str, names: dict[int, str], usable_only: bool) -> Iterator[Row]:
    state = str(text.consensus.state)
    if usable_only:
        cells = [(text.consensus.label, AUTHOR_PREFIX + names[text.author_id], "")]
    else:
        cells = [(vote.label, names[vote.person_id], str(vote.reason or "")) for vote in text.votes]
    for label, person, reason in cells:
        yield dict(zip(_COLUMNS, (content, label or NEITHER.capitalize(), person, state, reason), strict=True))


@contextmanager
def _csv(output: TextIO) -> Iterator[WriteRows]:
    table = csv.DictWriter(output, _COLUMNS, lineterminator=LINE_END)
    table.writeheader()

    def write(rows: list[Row]) -> None:
        table.writerows({name: escape_formula(field) for name, field in row.items()} for row in rows)

    yield write


@contextmanager
def _jsonl(output: TextIO) -> Iterator[WriteRows]:
    yield lambda rows: output.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@contextmanager
def _parquet(output: TextIO) -> Iterator[WriteRows]:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    schema = pa.schema([(name, pa.string()) for name in _COLUMNS])
    with ParquetWriter(cast(Any, output).buffer, schema) as table:
        yield lambda rows: table.write_table(pa.Table.from_pylist(rows, schema=schema))


WRITERS: Final[dict[str, Writer]] = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
