"""Runs ``thumbs backup`` and ``thumbs restore``, and rewrites archives."""

import json
import tarfile
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import select
from typer.testing import CliRunner

from cli.main import app
from storage.backup.rows import read_rows, tables_in
from storage.db.database import Database
from storage.db.tables import PersonRow

BOT = 900
ADA, BEN = 7, 8
# Alters an archive's table of contents and its files, by name.
Change = Callable[[dict[str, Any], dict[str, bytes]], None]
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def command(environment: dict[str, str], *arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)


def rewritten(source: Path, change: Change) -> Path:
    """Return a copy of a backup whose contents and files ``change`` altered. The hashes in the copy match again."""
    with tarfile.open(source) as archive:
        files = {name: (archive.extractfile(name) or BytesIO()).read() for name in archive.getnames()}
    contents = json.loads(files.pop("backup.json"))
    change(contents, files)
    contents.setdefault("hashes", {}).update({name: sha256(data).hexdigest() for name, data in files.items()})
    target = source.with_name("rewritten.tar")
    with tarfile.open(target, "w") as archive:
        for name, data in {**files, "backup.json": json.dumps(contents).encode()}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, BytesIO(data))
    return target


def people(environment: dict[str, str], keys: tuple[str, ...]) -> list[int]:
    opened = Database.open(environment["DATABASE_URL"], keys)
    with opened.reading() as unit:
        found = list(unit.scalars(select(PersonRow.telegram_id)))
    opened.close()
    return found


def all_rows(url: str, keys: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    database = Database.open(url, keys)
    with database.reading() as unit:
        connection = unit.connection()
        found = {table.name: list(read_rows(connection, table)) for table in tables_in(connection)}
    database.close()
    return found
