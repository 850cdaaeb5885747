"""Reads a person's own messages in pages, newest first, for ``/history``."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.sql import ColumnElement

from storage.chat.messages import StoredMessage, get_message
from storage.db.database import UnitOfWork
from storage.db.tables import MessageAddressRow, MessageRow

# Number of messages on a page.
PAGE_SIZE: Final = 5


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """The text of a message after its latest edit, and when that text arrived."""

    message: StoredMessage
    written_at: datetime


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of messages, newest first, and whether there are newer and older pages."""

    entries: tuple[HistoryEntry, ...]
    has_newer: bool
    has_older: bool


def page_from(unit: UnitOfWork, person_id: int, bot_id: int, message_id: int | None = None) -> HistoryPage:
    """Return the page that starts with this message or, if it was deleted, with the next older one.

    Without ``message_id``, return the newest page.
    """
    newest_first = _current(person_id, bot_id).order_by(MessageRow.id.desc())
    if message_id is not None:
        newest_first = newest_first.where(MessageRow.id <= message_id)
    return _page(unit, person_id, bot_id, _rows(unit, newest_first))


def page_before(unit: UnitOfWork, person_id: int, bot_id: int, message_id: int) -> HistoryPage:
    """Return the page of messages just older than this one."""
    return page_from(unit, person_id, bot_id, message_id - 1)


def page_after(unit: UnitOfWork, person_id: int, bot_id: int, message_id: int) -> HistoryPage:
    """Return the page of messages just newer than this one, or the newest page if too few are newer."""
    oldest_first = _current(person_id, bot_id).where(MessageRow.id > message_id).order_by(MessageRow.id)
    rows = _rows(unit, oldest_first)
    if len(rows) < PAGE_SIZE:
        return page_from(unit, person_id, bot_id)
    return _page(unit, person_id, bot_id, rows[::-1])


def _current(person_id: int, bot_id: int) -> Select[int, datetime]:
    """Select the messages that no later edit has replaced."""
    shown = select(MessageAddressRow.message_id).where(MessageAddressRow.message_id == MessageRow.id).exists()
    return select(MessageRow.id, MessageRow.created_at).where(
        MessageRow.person_id == person_id, MessageRow.bot_id == bot_id, shown
    )


def _rows(unit: UnitOfWork, current: Select[int, datetime]) -> list[tuple[int, datetime]]:
    return [(message_id, written_at) for message_id, written_at in unit.execute(current.limit(PAGE_SIZE))]


def _page(unit: UnitOfWork, person_id: int, bot_id: int, rows: list[tuple[int, datetime]]) -> HistoryPage:
    found = [(get_message(unit, message_id), written_at) for message_id, written_at in rows]
    entries = tuple(HistoryEntry(message, written_at) for message, written_at in found if message is not None)
    if not entries:
        return HistoryPage((), has_newer=False, has_older=False)

    def any_where(condition: ColumnElement[bool]) -> bool:
        return unit.execute(_current(person_id, bot_id).where(condition).limit(1)).first() is not None

    return HistoryPage(
        entries,
        has_newer=any_where(MessageRow.id > entries[0].message.id),
        has_older=any_where(MessageRow.id < entries[-1].message.id),
    )
