"""People who write to a bot, identified by their Telegram ids."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select, update

from storage.db.database import UnitOfWork
from storage.db.tables import PersonRow


@dataclass(frozen=True, slots=True)
class Person:
    """A Telegram user. ``language`` is the language tag that their app sent, if any.

    ``shows_percentages`` is False if they chose not to see percentages.
    """

    id: int
    telegram_id: int
    name: str
    language: str | None
    shows_percentages: bool = True


def upsert_person(unit: UnitOfWork, telegram_id: int, name: str, language: str | None) -> Person:
    """Add the person with this Telegram id, or update their name and language, and return the row."""
    profile = {"name": unit.cipher.encrypt(name), "language": language}
    row = unit.execute(
        unit.insert(PersonRow)
        .values(telegram_id=telegram_id, **profile)
        .on_conflict_do_update(index_elements=[PersonRow.telegram_id], set_=profile)
        .returning(PersonRow.id, PersonRow.shows_percentages)
    ).one()
    return Person(row.id, telegram_id, name, language, row.shows_percentages)


def show_percentages(unit: UnitOfWork, person_id: int, shows: bool) -> None:
    """Store whether a person wants to see percentages."""
    unit.change(update(PersonRow).where(PersonRow.id == person_id).values(shows_percentages=shows))


def languages_of(unit: UnitOfWork, telegram_ids: Collection[int]) -> dict[int, str | None]:
    """Return the language tag for each Telegram id, leaving out people who have not written to a bot."""
    known = select(PersonRow.telegram_id, PersonRow.language).where(PersonRow.telegram_id.in_(telegram_ids))
    return {row.telegram_id: row.language for row in unit.execute(known)}


def find_person(unit: UnitOfWork, telegram_id: int) -> int | None:
    """Return the database id of the person with this Telegram id, or None if the person is unknown."""
    return unit.scalar(select(PersonRow.id).where(PersonRow.telegram_id == telegram_id))
