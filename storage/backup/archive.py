"""The backup archive: a tar file whose table of contents names, counts and hashes everything else in it."""

import hashlib
import json
import re
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Annotated, ClassVar, Final

from pydantic import AwareDatetime, ConfigDict, NonNegativeInt, StringConstraints, TypeAdapter

from core.errors import UnusablePath, UnwritableFile
from core.files import fsync, replaceable, replaced
from storage.backup.rows import JsonRow
from storage.errors import UnusableBackup

_CONTENTS: Final = "backup.json"
# The only names that are allowed in an archive, so that unpacking it cannot write outside its folder.
_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_MEMBER: Final = rf"tables/[a-z_]+\.jsonl|models/{_NAME}/{_NAME}"
_FORMAT: Final = 1
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Contents:
    """The table of contents.

    ``revision`` is the database's schema revision, and ``last_ids`` is the last id assigned in each table. ``rows``
    counts the rows in each table, and ``hashes`` contains the SHA-256 of each file in the archive.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    created_at: AwareDatetime
    revision: str
    last_ids: dict[str, NonNegativeInt]
    rows: dict[str, NonNegativeInt]
    models: list[Annotated[str, StringConstraints(pattern=f"^({_NAME})$")]]
    hashes: dict[Annotated[str, StringConstraints(pattern=f"^({_MEMBER})$")], str]


def model_name(version: str, manifest_sha256: str) -> str:
    """Name a model from outside the store after its version or, if that isn't a valid name, after its hash."""
    return version if re.fullmatch(_NAME, version) else manifest_sha256


class BackupWriter:
    """Adds tables and models to an archive.

    Temporary files are written to ``folder``, because /tmp may be in memory.
    """

    def __init__(self, archive: tarfile.TarFile, folder: Path) -> None:
        self._archive = archive
        self._folder = folder
        self._rows: dict[str, int] = {}
        self._models: list[str] = []
        self._hashes: dict[str, str] = {}

    def add_table(self, name: str, rows: Iterable[JsonRow]) -> None:
        """Add a table as one JSON object per row."""
        count = 0
        with TemporaryFile(dir=self._folder) as file:
            for row in rows:
                file.write(json.dumps(row).encode() + b"\n")
                count += 1
            self._add(f"tables/{name}.jsonl", file, _sha256(file))
        self._rows[name] = count

    def add_model(self, version: str, folder: Path) -> None:
        """Add a published model's files. Skip subfolders and hidden files, which are not part of the model.

        Raise UnusablePath if a file is missing or cannot be read. Nothing is added if any file fails.
        """
        with ExitStack() as stack:
            files = {path.name: _opened(stack, path) for path in _model_files(folder)}
            for name, (file, digest) in files.items():
                self._add(f"models/{version}/{name}", file, digest)
        self._models.append(version)

    def finish(self, created_at: datetime, revision: str, last_ids: dict[str, int]) -> Contents:
        """Add the table of contents, and return it."""
        contents = Contents(created_at, revision, last_ids, self._rows, self._models, self._hashes)
        text = json.dumps({"format": _FORMAT, **asdict(contents)}, default=str, indent=1).encode()
        with TemporaryFile(dir=self._folder) as file:
            file.write(text)
            self._add(_CONTENTS, file, _sha256(file))
        return contents

    def _add(self, name: str, file: IO[bytes], digest: str) -> None:
        member = tarfile.TarInfo(name)
        member.size = file.seek(0, 2)
        member.mode = 0o600
        file.seek(0)
        self._archive.addfile(member, file)
        self._hashes[name] = digest


def _model_files(folder: Path) -> list[Path]:
    """Return the paths of a model's files, or raise UnusablePath."""
    try:
        return [path for path in sorted(folder.iterdir()) if path.is_file() and re.fullmatch(_NAME, path.name)]
    except OSError as error:
        raise UnusablePath(path=error.filename, reason=error.strerror) from error


def _opened(stack: ExitStack, path: Path) -> tuple[IO[bytes], str]:
    """Open a file that ``stack`` will close, and return it with its SHA-256. Raise UnusablePath if it can't be read."""
    try:
        file = stack.enter_context(path.open("rb"))
        return file, _sha256(file)
    except OSError as error:
        raise UnusablePath(path=path, reason=error.strerror) from error


def _sha256(file: IO[bytes]) -> str:
    """Return the SHA-256 of a file's contents, in hex."""
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()


@contextmanager
def writing(path: Path) -> Iterator[BackupWriter]:
    """Open an archive, readable only by its owner, that replaces ``path`` if the block ends without an error.

    Raise UnwritableFile if writing fails, or if ``path`` is an existing file that is not a backup, such as the
    database.
    """
    target = replaceable(path)
    try:
        if target.exists() and target.stat().st_size and not tarfile.is_tarfile(target):
            raise UnwritableFile(path=path, reason="it exists and is not a backup, so it was not overwritten")
        with replaced(target) as part:
            part.touch(0o600)
            with tarfile.open(part, "w") as archive:
                yield BackupWriter(archive, target.parent)
            fsync(part)
    except OSError as error:
        raise UnwritableFile(path=path, reason=error.strerror or str(error)) from error


class Backup:
    """An archive that was verified to be complete and unchanged."""

    def __init__(self, path: Path, archive: tarfile.TarFile, contents: Contents) -> None:
        self._path = path
        self._archive = archive
        self.contents = contents

    def rows(self, table: str) -> Iterator[JsonRow]:
        """Yield the rows of a table."""
        for line in self._file(f"tables/{table}.jsonl"):
            yield json.loads(line)

    def extract_model(self, version: str, into: Path) -> Path:
        """Write a model's files to a new folder in ``into``, and return the folder.

        Raise UnwritableFile if a file cannot be written.
        """
        folder = into / version
        prefix = f"models/{version}/"
        try:
            folder.mkdir()
            for name in self.contents.hashes:
                if name.startswith(prefix):
                    with (folder / name.removeprefix(prefix)).open("wb") as output:
                        shutil.copyfileobj(self._file(name), output)
        except OSError as error:
            raise UnwritableFile(path=folder, reason=error.strerror or str(error)) from error
        return folder

    def verify(self) -> None:
        """Raise UnusableBackup if a file is missing or was changed."""
        for name, digest in self.contents.hashes.items():
            if _sha256(self._file(name)) != digest:
                raise UnusableBackup(path=self._path, reason=f"{name} was changed or is damaged")

    def _file(self, name: str) -> IO[bytes]:
        return _regular_file(self._path, self._archive, name)


@contextmanager
def reading(path: Path) -> Iterator[Backup]:
    """Open and verify an archive. Raise UnusableBackup if it cannot be read, is incomplete or was changed."""
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(tarfile.open(path, "r:"))
            backup = Backup(path, archive, _read_contents(path, archive))
            backup.verify()
        except (tarfile.TarError, EOFError) as error:
            raise UnusableBackup(path=path, reason="it is not a tar file, or it is incomplete") from error
        except OSError as error:
            raise UnusableBackup(path=path, reason=error.strerror or str(error)) from error
        yield backup


def _read_contents(path: Path, archive: tarfile.TarFile) -> Contents:
    data = _regular_file(path, archive, _CONTENTS).read()
    try:
        values = json.loads(data)
        if values.pop("format") != _FORMAT:
            raise UnusableBackup(path=path, reason="it was made by a different version of Thumbs")
        return TypeAdapter(Contents).validate_python(values)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise UnusableBackup(path=path, reason=f"its {_CONTENTS} is unreadable") from error


def _regular_file(path: Path, archive: tarfile.TarFile, name: str) -> IO[bytes]:
    """Open a file in an archive. Treat a link as a missing file, because backups never contain links."""
    try:
        member = archive.getmember(name)
        file = archive.extractfile(member) if member.isreg() else None
    except KeyError:
        file = None
    if file is None:
        raise UnusableBackup(path=path, reason=f"{name} is missing")
    return file
