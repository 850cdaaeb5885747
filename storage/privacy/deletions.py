"""The list of people who were deleted, as keyed hashes in a file outside the database.

A backup still has a person who is deleted after it was made. Restoring it deletes again everyone on the list since.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from core.errors import UnusablePath, UnwritableFile
from storage.db.database import UnitOfWork

FILE_NAME = "deletions.txt"


class DeletionList:
    """A file with one line for each deletion: the time, and the keyed hash of the person's Telegram id."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, unit: UnitOfWork, telegram_id: int) -> None:
        """Add a person and flush the file to disk, before the deletion is committed. Raise UnwritableFile.

        If the deletion is then rolled back, a restore deletes a person who asked for it, and loses nothing else.
        """
        line = f"{datetime.now(UTC).isoformat()} {hash_of(unit, telegram_id).hex()}\n"
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
        """Return the hashes that were added at or after ``moment``; a line that was cut off by a crash is skipped."""
        try:
            lines = self._path.read_text(encoding="ascii").splitlines() if self._path.exists() else []
        except (OSError, UnicodeDecodeError) as error:
            raise UnusablePath(path=self._path, reason=str(error)) from error
        parts = [line.split() for line in lines]
        complete = [(part[0], part[1]) for part in parts if len(part) == 2 and len(part[1]) == 64]
        return {bytes.fromhex(found) for at, found in complete if datetime.fromisoformat(at) >= moment}


def hash_of(unit: UnitOfWork, telegram_id: int) -> bytes:
    """Return the keyed hash of a Telegram id, which does not reveal the id without the database's key."""
    return unit.cipher.fingerprint(f"person {telegram_id}")
