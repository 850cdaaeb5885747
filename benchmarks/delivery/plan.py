"""Defines the lanes, and draws all kills before anything runs, so that they depend only on the seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final


class Lane(StrEnum):
    """A bot, its database, and the way it receives updates."""

    SQLITE_POLLING = "sqlite-polling"
    SQLITE_WEBHOOK = "sqlite-webhook"
    POSTGRES_POLLING = "postgresql-polling"
    POSTGRES_WEBHOOK = "postgresql-webhook"
    PLAIN_BOT = "plain-bot"
    """For comparison: a polling python-telegram-bot with a Celery worker."""

    @property
    def on_postgres(self) -> bool:
        """Whether the lane uses PostgreSQL with Redis rather than SQLite."""
        return self in (Lane.POSTGRES_POLLING, Lane.POSTGRES_WEBHOOK)

    @property
    def by_webhook(self) -> bool:
        """Whether updates arrive by webhook rather than by polling."""
        return self in (Lane.SQLITE_WEBHOOK, Lane.POSTGRES_WEBHOOK)


class Moment(StrEnum):
    """The stage of work at which a process is killed.

    STARTING lasts from the start of the process until it usually sends its first reply. The other moments divide the
    usual time from a text to its reply into thirds. At the same time, other texts can be at different stages.
    """

    STARTING = "starting"
    RECEIVING = "receiving"
    CLASSIFYING = "classifying"
    SENDING = "sending"


@dataclass(frozen=True, slots=True)
class PlannedKill:
    """One planned kill.

    The kill happens after ``pause`` seconds of normal operation, when a ``share`` (0 to 1) of the moment has passed.
    """

    victim: str
    moment: Moment
    share: float
    pause: float


@dataclass(frozen=True, slots=True)
class SegmentPlan:
    """Consecutive kills in one lane, starting with kill number ``first``.

    The kills share a database and a history.
    """

    lane: Lane
    first: int
    kills: tuple[PlannedKill, ...]


# Seconds of undisturbed operation before a kill, except before a kill during a start.
_PAUSES: Final = (1.5, 4.5)


def draw_kills(seed: str, number: int, victims: Sequence[str]) -> list[PlannedKill]:
    """Return ``number`` planned kills."""
    random = Random(seed)
    return [
        PlannedKill(random.choice(victims), random.choice(list(Moment)), random.random(), random.uniform(*_PAUSES))
        for _ in range(number)
    ]


def split_into_segments(lane: Lane, kills: Sequence[PlannedKill], size: int, executed: int = 0) -> list[SegmentPlan]:
    """Split the kills after the first ``executed`` into segments of at most ``size`` kills."""
    starts = range(executed, len(kills), size)
    return [SegmentPlan(lane, start, tuple(kills[start : start + size])) for start in starts]
