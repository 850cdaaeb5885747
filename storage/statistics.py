"""Figures for admins: messages and people per day, and how often people agreed with each model version.

The counts of past days are stored, so that showing a page of figures doesn't read every message.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy import func, select

from storage.db.database import UnitOfWork
from storage.db.states import Vote
from storage.db.tables import DayRow, MessageRow, PersonRow, PredictionRow, VoteRow

# Number of days whose counts are stored and shown, including today.
COUNTED_DAYS: Final = 30
# Number of newest votes that the figures on agreement are based on.
NEWEST_VOTES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Day:
    """How many messages were sent on a day (UTC), and by how many people."""

    day: date
    messages: int
    people: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """The votes on a model version's verdicts, among the newest votes."""

    version: str
    right: int
    wrong: int
    neither: int

    @property
    def share(self) -> float:
        """The share (0 to 1) of *Right* votes among the *Right* and *Wrong* votes, or 0 if there are none."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 0.0


def daily_figures(unit: UnitOfWork, count: int) -> list[Day]:
    """Return the newest ``count`` days, oldest first. The last one is today."""
    today = unit.now().astimezone(UTC).date()
    days = [today - timedelta(days=ago) for ago in range(count - 1, -1, -1)]
    rows = unit.scalars(select(DayRow).where(DayRow.day >= days[0]))
    stored = {row.day: Day(row.day, row.messages, row.people) for row in rows}
    return [stored.get(day) or _count(unit, day) for day in days]


def store_finished_days(unit: UnitOfWork, count: int) -> None:
    """Store the counts of the past days among the newest ``count`` days, unless they are already stored.

    Deletions don't change a stored day, because its counts identify nobody.
    """
    today = unit.now().astimezone(UTC).date()
    stored = set(unit.scalars(select(DayRow.day).where(DayRow.day >= today - timedelta(days=count))))
    for ago in range(1, count):
        day = today - timedelta(days=ago)
        if day not in stored:
            found = _count(unit, day)
            values = {"day": day, "messages": found.messages, "people": found.people}
            unit.execute(unit.insert(DayRow).values(**values).on_conflict_do_nothing())


def agreement(unit: UnitOfWork) -> list[Agreement]:
    """Return the agreement with each version among the newest votes, starting with the version voted on last."""
    newest = (
        select(VoteRow.id, VoteRow.prediction_id, VoteRow.verdict).order_by(VoteRow.id.desc()).limit(NEWEST_VOTES)
    ).subquery()
    # With a join, PostgreSQL may read all predictions. A scalar subquery looks up only those with one of these votes.
    version = select(PredictionRow.version).where(PredictionRow.id == newest.c.prediction_id).scalar_subquery()
    voted = select(newest.c.id, newest.c.verdict, version.label("version")).subquery()
    counts = [func.count().filter(voted.c.verdict == vote) for vote in (Vote.RIGHT, Vote.WRONG, Vote.NEITHER)]
    rows = unit.execute(
        select(voted.c.version, counts[0], counts[1], counts[2])
        .group_by(voted.c.version)
        .order_by(func.max(voted.c.id).desc())
    )
    return [Agreement(*row) for row in rows]


def count_people(unit: UnitOfWork) -> int:
    """Return how many people are in the database."""
    return unit.scalars(select(func.count()).select_from(PersonRow)).one()


def _count(unit: UnitOfWork, day: date) -> Day:
    start = datetime.combine(day, time.min, UTC)
    on_day = (MessageRow.created_at >= start, MessageRow.created_at < start + timedelta(days=1))
    counts = select(func.count(), func.count(MessageRow.person_id.distinct())).where(*on_day)
    messages, people = unit.execute(counts).one()
    return Day(day, messages, people)
