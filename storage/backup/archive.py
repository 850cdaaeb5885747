"""The archive of a backup: a tar file with a table of contents that names, counts and hashes everything else in it."""

import hashlib
import json
import re
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from core.errors import UnwritableFile
from core.files import fsync, replaced
from storage.backup.rows import JsonRow
from storage.errors import UnusableBackup

_CONTENTS: Final = "backup.json"
# The only names that an archive may hold, so that unpacking it cannot write anywhere else.
_NAMES: Final = re.compile(r"tables/[a-z_]+\.jsonl|models/[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
_FORMAT: Final = 1
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Contents:
    """The table of contents.

    ``revision`` is the database's migration, and ``last_ids`` the last id that each table gave out. ``rows`` counts the
    rows of each table, and ``hashes`` has the SHA-256 of each file in the archive.
    """

    created_at: datetime
    revision: str
    last_ids: dict[str, int]
    rows: dict[str, int]
    models: list[str]
    hashes: dict[str, str]


class BackupWriter:
    """Adds tables and models to an archive."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._rows: dict[str, int] = {}
        self._models: list[str] = []
        self._hashes: dict[str, str] = {}

    def add_table(self, name: str, rows: Iterable[JsonRow]) -> None:
        """Add a table, one JSON object for each row."""
        count = 0
        with TemporaryFile() as file:
            for row in rows:
                file.write(json.dumps(row).encode() + b"\n")
                count += 1
            self._add(f"tables/{name}.jsonl", file)
        self._rows[name] = count

    def add_model(self, version: str, folder: Path) -> None:
        """Add the files of a published model."""
        for path in sorted(folder.iterdir()):
            with path.open("rb") as file:
                self._add(f"models/{version}/{path.name}", file)
        self._models.append(version)

    def finish(self, created_at: datetime, revision: str, last_ids: dict[str, int]) -> Contents:
        """Add the table of contents, and return it."""
        contents = Contents(created_at, revision, last_ids, self._rows, self._models, self._hashes)
        text = json.dumps({"format": _FORMAT, **asdict(contents)}, default=str, indent=1).encode()
        with TemporaryFile() as file:
            file.write(text)
            self._add(_CONTENTS, file)
        return contents

    def _add(self, name: str, file: IO[bytes]) -> None:
        member = tarfile.TarInfo(name)
        member.size = file.seek(0, 2)
        member.mode = 0o600
        file.seek(0)
        digest = hashlib.sha256()
        while piece := file.read(_PIECE):
            digest.update(piece)
        file.seek(0)
        self._archive.addfile(member, file)
        self._hashes[name] = digest.hexdigest()


@contextmanager
def writing(path: Path) -> Iterator[BackupWriter]:
    """Open an archive that replaces ``path``, readable only by its owner, when the block ends without an error."""
    try:
        with replaced(path) as part:
            part.touch(0o600)
            with tarfile.open(part, "w") as archive:
                yield BackupWriter(archive)
            fsync(part)
    except OSError as error:
        raise UnwritableFile(path=path, reason=error.strerror or str(error)) from error


class Backup:
    """An archive that was verified: everything that its table of contents names is there and unchanged."""

    def __init__(self, path: Path, archive: tarfile.TarFile, contents: Contents) -> None:
        self._path = path
        self._archive = archive
        self.contents = contents

    def rows(self, table: str) -> Iterator[JsonRow]:
        """Yield the rows of a table."""
        for line in self._file(f"tables/{table}.jsonl"):
            yield json.loads(line)

    def extract_model(self, version: str, into: Path) -> Path:
        """Write the files of a model to a new folder in ``into``, and return it."""
        folder = into / version
        folder.mkdir()
        prefix = f"models/{version}/"
        for name in self.contents.hashes:
            if name.startswith(prefix):
                with (folder / name.removeprefix(prefix)).open("wb") as output:
                    shutil.copyfileobj(self._file(name), output)
        return folder

    def verify(self) -> None:
        """Raise UnusableBackup if a file is missing, was changed, or has a name that no backup contains."""
        for name, digest in self.contents.hashes.items():
            if not _NAMES.fullmatch(name):
                raise UnusableBackup(path=self._path, reason=f"it names the file {name}, which no backup contains")
            found = hashlib.sha256()
            file = self._file(name)
            while piece := file.read(_PIECE):
                found.update(piece)
            if found.hexdigest() != digest:
                raise UnusableBackup(path=self._path, reason=f"{name} was changed or is damaged")

    def _file(self, name: str) -> IO[bytes]:
        try:
            file = self._archive.extractfile(name)
        except KeyError:
            file = None
        if file is None:
            raise UnusableBackup(path=self._path, reason=f"{name} is missing")
        return file


@contextmanager
def reading(path: Path) -> Iterator[Backup]:
    """Open and verify an archive; raise UnusableBackup if it is incomplete or was changed."""
    try:
        with tarfile.open(path, "r:") as archive:
            backup = Backup(path, archive, _read_contents(path, archive))
            backup.verify()
            yield backup
    except (tarfile.TarError, EOFError) as error:
        raise UnusableBackup(path=path, reason="it is not a tar file, or it is cut off") from error
    except FileNotFoundError as error:
        raise UnusableBackup(path=path, reason="there is no such file") from error


def _read_contents(path: Path, archive: tarfile.TarFile) -> Contents:
    try:
        file = archive.extractfile(_CONTENTS)
        values = json.loads(file.read()) if file else {}
        if values.pop("format") != _FORMAT:
            raise UnusableBackup(path=path, reason="another version of Thumbs made it")
        return Contents(**{**values, "created_at": datetime.fromisoformat(values["created_at"])})
    except (KeyError, ValueError, TypeError) as error:
        raise UnusableBackup(path=path, reason=f"its {_CONTENTS} is missing or unreadable") from error
