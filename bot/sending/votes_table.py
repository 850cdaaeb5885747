"""Builds the table of all votes for `thumbs corrections export` and `/export`, in batches to save memory."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from itertools import islice
from typing import Final, TextIO

from ml.data.csv_format import EXPORT_COLUMNS, LINE_END, REASON_COLUMN, escape_formula
from storage.chat.messages import get_texts
from storage.db.database import UnitOfWork
from storage.feedback.consensus import NEITHER, ConsensusState
from storage.feedback.eligibility import VotedText, voted_texts
from storage.feedback.file_people import AUTHOR_PREFIX, exported_names

_BATCH_SIZE: Final = 500
COLUMNS: Final = (*EXPORT_COLUMNS, REASON_COLUMN)

Row = dict[str, str]
WriteRows = Callable[[list[Row]], None]


def vote_rows(unit: UnitOfWork, quorum: int, admins: frozenset[int], usable_only: bool) -> Iterator[list[Row]]:
    """Yield batches of rows, one row per vote, skipping votes whose voter or text's author doesn't consent.

    With ``usable_only``, yield one row for each eligible text instead, with the agreed label and the author. People
    appear under their names from ``exported_names``, with the prefix AUTHOR_PREFIX in rows for eligible texts.
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


def votes_csv(unit: UnitOfWork, quorum: int, admins: frozenset[int]) -> bytes:
    """Return all votes as a CSV file, with the same content as `thumbs corrections export`."""
    output = StringIO(newline="")
    with csv_writer(output) as write:
        for rows in vote_rows(unit, quorum, admins, usable_only=False):
            write(rows)
    return output.getvalue().encode()


@contextmanager
def csv_writer(output: TextIO) -> Iterator[WriteRows]:
    """Write the header, and yield a function that writes rows."""
    table = csv.DictWriter(output, COLUMNS, lineterminator=LINE_END)
    table.writeheader()

    def write(rows: list[Row]) -> None:
        table.writerows({name: escape_formula(field) for name, field in row.items()} for row in rows)

    yield write


def _rows(text: VotedText, content: str, names: dict[int, str], usable_only: bool) -> Iterator[Row]:
    state = str(text.consensus.state)
    if usable_only:
        cells = [(text.consensus.label, AUTHOR_PREFIX + names[text.author_id], "")]
    else:
        cells = [(vote.label, names[vote.person_id], str(vote.reason or "")) for vote in text.votes]
    for label, person, reason in cells:
        yield dict(zip(COLUMNS, (content, label or NEITHER, person, state, reason), strict=True))
