"""Names the people in exported vote files, and finds or adds the people named in imported files."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Final

from sqlalchemy import Row, select

from storage.db.database import UnitOfWork
from storage.db.tables import PersonRow

# Telegram's ids for people and groups are closer to zero, so an id below this never belongs to a Telegram user.
IMPORTED_IDS_BELOW: Final = -(2**62)
# Prefix of an author's name in a row that contains the agreed label instead of a vote by the author.
AUTHOR_PREFIX: Final = "author-"
# Maximum number of people in one statement. SQLite accepts at most 32,766 values.
_CHUNK: Final = 10_000
_PEOPLE: Final = select(PersonRow.id, PersonRow.telegram_id, PersonRow.name)
_EXPORTED_NAME: Final = re.compile(r"\d+-[0-9a-f]{16}")


def exported_names(unit: UnitOfWork, person_ids: Collection[int]) -> dict[int, str]:
    """Return each person's name in exports: a number, and a hash made with this database's secret key.

    An import recognises people by this name. A person who was imported from another database's export keeps the name
    from that export.
    """
    rows = unit.execute(_PEOPLE.where(PersonRow.id.in_(person_ids)))
    return {row.id: _exported_name(unit, row) for row in rows}


def name_key(name: str) -> str:
    """Normalise ``name``, so that names that differ only in case, white space or Unicode form become equal."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def find_or_add_people(unit: UnitOfWork, names: Iterable[str]) -> dict[str, int]:
    """Find the people with these names, add those who are new, and return their ids, keyed by name.

    A person is recognised by their name in exports or by the name that they had in an earlier import.
    """
    wanted = {name: name_key(name) for name in sorted(names)}
    known: dict[str, int] = {}
    for row in unit.execute(_PEOPLE.order_by(PersonRow.id.desc())):
        if row.telegram_id < IMPORTED_IDS_BELOW:
            known[name_key(unit.cipher.decrypt(row.name))] = row.id
        known[_own_name(unit, row)] = row.id
    added = {key: name for name, key in reversed(wanted.items()) if key not in known}
    telegram_ids = {key: _import_id(unit.cipher.fingerprint(f"person of a file: {key}")) for key in added}
    rows = [{"telegram_id": telegram_ids[key], "name": unit.cipher.encrypt(name)} for key, name in added.items()]
    if rows:
        unit.execute(unit.insert(PersonRow).on_conflict_do_nothing(), rows)
    keys = {number: key for key, number in telegram_ids.items()}
    for start in range(0, len(rows), _CHUNK):
        chunk = [row["telegram_id"] for row in rows[start : start + _CHUNK]]
        found = unit.execute(_PEOPLE.where(PersonRow.telegram_id.in_(chunk)))
        known.update({keys[row.telegram_id]: row.id for row in found})
    return {name: known[key] for name, key in wanted.items()}


def is_exported_name(name: str) -> bool:
    """Return whether ``name`` has the same format as the names in exports."""
    return _EXPORTED_NAME.fullmatch(name) is not None


def _exported_name(unit: UnitOfWork, row: Row[int, int, bytes]) -> str:
    if row.telegram_id < IMPORTED_IDS_BELOW and is_exported_name(name := unit.cipher.decrypt(row.name)):
        return name
    return _own_name(unit, row)


def _own_name(unit: UnitOfWork, row: Row[int, int, bytes]) -> str:
    # Hash the Telegram id, because a different database with the same key may give the same number to someone else.
    return f"{row.id}-{unit.cipher.fingerprint(f'exported person: {row.telegram_id}')[:8].hex()}"


def _import_id(digest: bytes) -> int:
    """Return a 64-bit id that cannot belong to a Telegram user or group."""
    return IMPORTED_IDS_BELOW - (int.from_bytes(digest[:8], "big") >> 2)
