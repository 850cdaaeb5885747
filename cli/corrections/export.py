"""Judgements as a table, a few hundred texts at a time, so that a file of any size needs little memory."""

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
    """Every judgement that its voter and the text's author allow, and how the text stands; people are numbers.

    With ``usable_only`` each text that would train or measure, once, under the label agreed on, with its author.
    """
    texts = (
        text
        for text in voted_texts(unit, quorum, admins)
        if not usable_only or text.consensus.state is ConsensusState.USABLE
    )
    while some := list(islice(texts, _BATCH_SIZE)):
        words = get_texts(unit, [text.message_id for text in some])
        yield [row for text in some for row in _rows(text, words[text.message_id], usable_only)]


def write_rows(path: Path, chunks: Iterable[list[Row]]) -> int:
    """Write a table of the kind that the file's name ends with; how many rows it has. Raises UnwritableFile."""
    written = 0
    with atomic_write(path) as output, WRITERS[file_suffix(path)](output) as write:
        for rows in chunks:
            write(rows)
            written += len(rows)
    return written


def file_suffix(path: Path) -> str:
    """How the file's name ends, without the ending of a packed one."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix not in OPENERS), "")


def _rows(text: VotedText, words: str, usable_only: bool) -> Iterator[Row]:
    state = str(text.consensus.state)
    said = [(text.consensus.label, text.author_id)] if usable_only else [(v.label, v.person_id) for v in text.votes]
    for label, person in said:
        yield dict(zip(COLUMNS, (words, label or NEITHER.capitalize(), person, state), strict=True))


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
