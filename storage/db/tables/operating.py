"""A bot's webhook secret, blocked people, the problems reported to admins, running workers, and daily counts."""

from datetime import date, datetime

from sqlalchemy import Date, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.db.column_types import EncryptedString, utc_now
from storage.db.tables.base import Base


class BotRow(Base):
    """A bot that has registered a webhook. All of the bot's processes expect the same secret from Telegram."""

    __tablename__ = "bots"
    __table_args__ = ()

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    webhook_secret: Mapped[bytes] = mapped_column(EncryptedString)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class BlockedPersonRow(Base):
    """A person whom an admin has blocked, identified by a keyed hash of their Telegram id.

    The row is kept when the person's data is deleted, so ``/deleteme`` does not lift a block. The row does not contain
    their id.
    """

    __tablename__ = "blocked_people"
    __table_args__ = ()

    person_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    blocked_at: Mapped[datetime] = mapped_column(default=utc_now)


class ReportedTroubleRow(Base):
    """A kind of problem that a bot's admins have been notified of, stored so that they are notified only once.

    For a kind that is reported again after a quiet period, ``reported_at`` is the last time that the problem occurred.
    """

    __tablename__ = "reported_troubles"
    __table_args__ = ()

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    reported_at: Mapped[datetime] = mapped_column(default=utc_now)


class DayRow(Base):
    """How many messages were sent on a past day (UTC), and by how many people."""

    __tablename__ = "daily_counts"
    __table_args__ = ()

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    messages: Mapped[int]
    people: Mapped[int]


class WorkerRow(Base):
    """A running worker, with the names of the queues that it consumes, separated by spaces."""

    __tablename__ = "workers"
    __table_args__ = ()

    process: Mapped[str] = mapped_column(String(128), primary_key=True)
    queues: Mapped[str]
    since: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
