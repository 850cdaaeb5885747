"""Files of labelled texts for ``thumbs corrections``, and what an import stored."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from click.testing import Result
from sqlalchemy import func, select

from storage.db.database import Database
from storage.db.tables import VoteRow

StoreReview = Callable[..., Any]
StoreVote = Callable[..., Any]
Run = Callable[..., Result]
ADMIN, AUTHOR = 11, 7
GOOD = "A warm and funny film, wonderfully played by everyone in it."
BAD = "A dull and endless film that I walked out of after an hour."
NEITHER = "The film runs for two hours and was shot in Norway."


def write(path: Path, *rows: tuple[str, str, str]) -> Path:
    pd.DataFrame(rows, columns=["text", "label", "person"]).to_csv(path, index=False)
    return path


ROWS = [
    (GOOD, "positive", "ann"),
    (GOOD, "Positive", "ben"),
    (BAD, "negative", "ann"),
    (BAD, "positive", "ben"),
    (NEITHER, "neither", "ben"),
    (NEITHER, "neither", "cat"),
    ("Only one of them says something of this fine film.", "1", "cat"),
]


def count(database: Database, table: Any) -> int:
    with database.reading() as unit:
        return unit.scalars(select(func.count()).select_from(table)).one()


def votes_of(database: Database) -> list[tuple[int, bytes, int, str | None]]:
    """Return every stored vote: person, text, prediction and label."""
    with database.reading() as unit:
        rows = unit.execute(select(VoteRow.person_id, VoteRow.text_hash, VoteRow.prediction_id, VoteRow.label)).all()
        return sorted((row[0], row[1], row[2], row[3]) for row in rows)
