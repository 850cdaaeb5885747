"""The list of people and messages that were deleted, as keyed hashes in a file outside the database.

A backup still contains what was deleted after it was made. A restore therefore repeats every deletion that was added to
the list since the backup.
"""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from core.errors import UnusablePath, UnwritableFile
from storage.db.database import UnitOfWork

FILE_NAME: Final = "deletions.txt"
_DELETION: Final = re.compile(r"(\d{4}-\d\d-\d\dT[0-9:.]+(?:\+00:00|Z)) ([0-9a-f]{64})")
# Matches a line that a crash cut off. The next deletion follows on the same line.
_CUT_OFF: Final = re.compile(r"[0-9T:.+-]{0,32}(?: [0-9a-f]{0,63})?")


class DeletionList:
    """A file with one line for each deletion: the time, and the keyed hash of the person's or message's Telegram id."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, unit: UnitOfWork, telegram_id: int) -> None:
        """Add a person, and flush the file to disk. Call this before the deletion is committed. Raise UnwritableFile.

        If the deletion is then rolled back, a restore still deletes that person, as requested, and nobody else.
        """
        self._append(hash_of(unit, telegram_id))

    def add_message(self, unit: UnitOfWork, bot_id: int, chat_id: int, telegram_message_id: int) -> None:
        """Add a message, just as ``add`` adds a person. Raise UnwritableFile."""
        self._append(hash_of_message(unit, bot_id, chat_id, telegram_message_id))

    def _append(self, hashed: bytes) -> None:
        line = f"{datetime.now(UTC).isoformat()} {hashed.hex()}\n"
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "a", encoding="ascii") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UnwritableFile(path=self._path, reason=error.strerror) from error

    def since(self, moment: datetime) -> set[bytes]:
        """Return the hashes that were added at or after ``moment``. A line that was cut off by a crash is skipped.

        Raise UnusablePath if the file does not exist, or contains anything other than deletions.
        """
        try:
            lines = self._path.read_text(encoding="utf-8-sig").splitlines()
        except OSError as error:
            raise UnusablePath(path=self._path, reason=error.strerror) from error
        except UnicodeDecodeError as error:
            raise UnusablePath(path=self._path, reason="it is not a list of deletions") from error
        found = set[bytes]()
        for number, line in enumerate(lines, 1):
            if not _CUT_OFF.fullmatch(_DELETION.sub("", line.strip())):
                raise UnusablePath(path=self._path, reason=f"line {number} is not a deletion")
            found |= {bytes.fromhex(hashed) for at, hashed in _DELETION.findall(line) if _time(at) >= moment}
        return found


def _time(text: str) -> datetime:
    """Return the time of a deletion or, if it cannot be parsed, a time later than any backup."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)


def hash_of(unit: UnitOfWork, telegram_id: int) -> bytes:
    """Return the keyed hash of a Telegram id, which does not reveal the id without the database's key."""
    return unit.cipher.fingerprint(f"person {telegram_id}")


def hash_of_message(unit: UnitOfWork, bot_id: int, chat_id: int, telegram_message_id: int) -> bytes:
    """Return the keyed hash of a Telegram message's address."""
    return unit.cipher.fingerprint(f"message {bot_id} {chat_id} {telegram_message_id}")
