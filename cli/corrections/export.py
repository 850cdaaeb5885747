"""Writes votes to a table in batches of a few hundred texts, so that any number of them needs little memory."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO, cast

from cli.corrections.reader import NEITHER
from core.files import OPENERS, atomic_write
from ml.data.csv_rows import LINE_END, escape_formula
from storage.chat.messages import get_texts
from storage.db.database import UnitOfWork
from storage.feedback.consensus import ConsensusState
from storage.feedback.eligibility import VotedText, voted_texts

COLUMNS: Final = ("text", "label", "person", "state")
_BATCH_SIZE: Final = 500

Row = dict[str, str | int]
WriteRows = Callable[[list[Row]], None]
Writer = Callable[[TextIO], AbstractContextManager[WriteRows]]


def vote_rows(unit: UnitOfWork, quorum: int, admins: frozenset[int], usable_only: bool) -> Iterator[list[Row]]:
    """Yield batches of rows: one for each vote that its voter and the text's author consented to, by person number.

    With ``usable_only``, yield one row for each eligible text instead, with its agreed label and its author.
    """
    texts = (
        text
        for text in voted_texts(unit, quorum, admins)
        if not usable_only or text.consensus.state is ConsensusState.USABLE
    )
    while batch := list(islice(texts, _BATCH_SIZE)):
        contents = get_texts(unit, [text.message_id for text in batch])
        yield [row for text in batch for row in _rows(text, contents[text.message_id], usable_only)]


def write_rows(path: Path, chunks: Iterable[list[Row]]) -> int:
    """Write a table in the format of the file's suffix, and return the number of rows. Raises UnwritableFile."""
    written = 0
    with atomic_write(path) as output, WRITERS[file_suffix(path)](output) as write:
        for rows in chunks:
            write(rows)
            written += len(rows)
    return written


def file_suffix(path: Path) -> str:
    """Return the last suffix of the file name that is not one of a compressed file, in lower case; may be empty."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix not in OPENERS), "")


def _rows(text: VotedText, content: str, usable_only: bool) -> Iterator[Row]:
    state = str(text.consensus.state)
    labels = [(text.consensus.label, text.author_id)] if usable_only else [(v.label, v.person_id) for v in text.votes]
    for label, person in labels:
        yield dict(zip(COLUMNS, (content, label or NEITHER.capitalize(), person, state), strict=True))


@contextmanager
def _csv(output: TextIO) -> Iterator[WriteRows]:
    table = csv.DictWriter(output, COLUMNS, lineterminator=LINE_END)
    table.writeheader()

    def write(rows: list[Row]) -> None:
        table.writerows({**row, "text": escape_formula(str(row["text"]))} for row in rows)

    yield write


@contextmanager
def _jsonl(output: TextIO) -> Iterator[WriteRows]:
    yield lambda rows: output.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@contextmanager
def _parquet(output: TextIO) -> Iterator[WriteRows]:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    types: dict[str, Any] = {name: pa.int64() if name == "person" else pa.string() for name in COLUMNS}
    schema = pa.schema(list(types.items()))
    with ParquetWriter(cast(Any, output).buffer, schema) as table:
        yield lambda rows: table.write_table(pa.Table.from_pylist(rows, schema=schema))


WRITERS: Final[dict[str, Writer]] = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
