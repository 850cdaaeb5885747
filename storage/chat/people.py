"""People, by their Telegram ids."""

from dataclasses import dataclass

from sqlalchemy import select

from storage.db.database import UnitOfWork
from storage.db.tables import (
    PersonRow,
)


@dataclass(frozen=True, slots=True)
class Person:
    """A Telegram user; ``language`` is the tag that their app sent, if any."""

    id: int
    telegram_id: int
    name: str
    language: str | None


def upsert_person(unit: UnitOfWork, telegram_id: int, name: str, language: str | None) -> Person:
    """Find or add the person with this Telegram id, under the name and language that they have now."""
    now_called = {"name": unit.cipher.encrypt(name), "language": language}
    person_id = unit.scalars(
        unit.insert(PersonRow)
        .values(telegram_id=telegram_id, **now_called)
        .on_conflict_do_update(index_elements=[PersonRow.telegram_id], set_=now_called)
        .returning(PersonRow.id)
    ).one()
    return Person(person_id, telegram_id, name, language)


def find_person(unit: UnitOfWork, telegram_id: int) -> int | None:
    """The id of the person with this Telegram id, None when nobody has it."""
    return unit.scalar(select(PersonRow.id).where(PersonRow.telegram_id == telegram_id))
