"""Fills a database with made-up messages, predictions and votes, all inside the database server."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import text

from storage.db.database import UnitOfWork
from storage.models.registry import register

VERSIONS: Final = ("v-1", "v-2", "v-3")
# Rows in one statement.
_CHUNK: Final = 250_000


@dataclass(frozen=True, slots=True)
class Size:
    """The number of rows, and the days over which the messages are spread evenly, up to now."""

    messages: int
    people: int
    votes: int
    days: int


# What the two engines write differently: a random number from 0 to 1, 32 bytes, and a time given in seconds after 1970,
# in the format in which SQLAlchemy stores it.
_DIALECTS: Final = {
    "sqlite": {
        "random": "(abs(random()) % 1000000) / 1000000.0",
        "hash": "randomblob(32)",
        "time": "strftime('%Y-%m-%d %H:%M:%f000', {seconds}, 'unixepoch')",
        "true": "1",
    },
    "postgresql": {
        "random": "random()",
        "hash": "sha256(convert_to(n::text, 'UTF8'))",
        "time": "to_timestamp({seconds})",
        "true": "true",
    },
}
_NUMBERS: Final = (
    "WITH RECURSIVE numbers(n) AS (SELECT CAST(:low AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < :high) "
)
_PEOPLE: Final = """
INSERT INTO people (id, telegram_id, name, shows_percentages, created_at)
SELECT n, n, {hash}, {true}, {time} FROM numbers
"""
_MESSAGES: Final = """
INSERT INTO messages (id, person_id, bot_id, chat_id, text_hash, created_at)
SELECT n, 1 + n * 7919 % :people, 900, 1 + n * 7919 % :people, {hash}, {time} FROM numbers
"""
_PREDICTIONS: Final = """
INSERT INTO predictions (id, message_id, version, label, confidence, sure, windows, logit_0, logit_1, corrected,
                         created_at)
SELECT n, n, 'v-' || (1 + n % 3), CASE WHEN n % 5 < 3 THEN 'Positive' ELSE 'Negative' END, 0.5 + {random} / 2, {true},
       1, -1.0, 1.0, {false}, {time} FROM numbers
"""
_VOTES: Final = """
INSERT INTO judgements (id, person_id, text_hash, prediction_id, verdict, label, created_at)
SELECT n, 1 + (n * :step) * 7919 % :people, {hash}, n * :step,
       CASE n % 10 WHEN 0 THEN 'wrong' WHEN 1 THEN 'neither' ELSE 'right' END, 'Positive', {time} FROM numbers
"""


def fill(unit: UnitOfWork, size: Size) -> None:
    """Store everything. The newest message is a few seconds old."""
    if unit.get_bind().dialect.name == "postgresql":
        # The rows refer to each other correctly, and checking that takes longer than inserting them.
        unit.execute(text("SET LOCAL session_replication_role = replica"))
    for version in VERSIONS:
        register(unit, version, "0" * 64, f"models/{version}")
    _insert(unit, _PEOPLE, size, size.people)
    _insert(unit, _MESSAGES, size, size.messages)
    _insert(unit, _PREDICTIONS, size, size.messages)
    _insert(unit, _VOTES, size, size.votes)


def _insert(unit: UnitOfWork, statement: str, size: Size, rows: int) -> None:
    """Insert ``rows`` rows, whose times are spread evenly over the days."""
    dialect = unit.get_bind().dialect.name
    now = datetime.now(UTC)
    start = (now - timedelta(days=size.days)).timestamp()
    pause = timedelta(days=size.days).total_seconds() / rows
    snippets = _DIALECTS[dialect]
    seconds = f"{start:.3f} + n * {pause:.9f}"
    filled = statement.format(
        **{**snippets, "time": snippets["time"].format(seconds=seconds)},
        false="0" if dialect == "sqlite" else "false",
    )
    for low in range(1, rows + 1, _CHUNK):
        limits = {"low": low, "high": min(low + _CHUNK - 1, rows)}
        others = {"people": size.people, "step": size.messages // max(size.votes, 1)}
        used = {name: value for name, value in others.items() if f":{name}" in filled}
        unit.execute(text(_with_numbers(filled, dialect)), {**limits, **used})


def _with_numbers(statement: str, dialect: str) -> str:
    """Put the numbers where both engines accept them, in front of SELECT."""
    head, _, tail = statement.partition("SELECT")
    return f"{head}{_NUMBERS}SELECT{tail}"
