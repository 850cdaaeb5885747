"""Damaged, malformed and forged archives are rejected before anything is written."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from storage.errors import UnusableBackup
from tests.backup_archives import ADA, Change, command, people, rewritten, sqlite_only


def _row(table: str, **values: object) -> Change:
    def change(_: dict[str, Any], files: dict[str, bytes]) -> None:
        name = f"tables/{table}.jsonl"
        rows = [{**json.loads(line), **values} for line in files[name].splitlines()]
        files[name] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    return change


def _contents(**values: object) -> Change:
    return lambda contents, _: contents.update(values)


def _file(name: str, data: bytes) -> Change:
    return lambda _, files: files.update({name: data})


@sqlite_only
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_row("people", created_at="yesterday"), id="a time that is none"),
        pytest.param(_row("people", created_at=5), id="a number as a time"),
        pytest.param(_row("people", id=[]), id="a list as an id"),
        pytest.param(_row("people", id=2**70), id="an id above 64 bits"),
        pytest.param(_row("people", shoe_size=44), id="an unknown column"),
        pytest.param(_row("updates", payload="*"), id="bytes that are not base64"),
        pytest.param(_row("secrets", value=7), id="a number as a secret"),
        pytest.param(_file("tables/secrets.jsonl", b""), id="no secrets"),
        pytest.param(_file("tables/people.jsonl", b"[1]\n"), id="a list as a row"),
        pytest.param(_file("tables/people.jsonl", b"{\n"), id="half a row"),
        pytest.param(_file("tables/people.jsonl", b"[" * 100_000), id="deep JSON"),
        pytest.param(_contents(models=["../../escaped"]), id="a model outside the store"),
        pytest.param(_contents(models=["/tmp/escaped"]), id="a model with an absolute path"),
        pytest.param(_contents(models=7), id="a number of models"),
        pytest.param(_contents(created_at="2026-11-01T00:00:00"), id="a time without a zone"),
        pytest.param(_contents(revision="9999"), id="a newer release"),
        pytest.param(_contents(revision=4), id="a number as the revision"),
        pytest.param(_contents(last_ids={"people": 2**70}), id="a last id above 64 bits"),
        pytest.param(_contents(last_ids=[1]), id="a list of last ids"),
        pytest.param(_contents(colour="red"), id="an unknown field"),
        pytest.param(lambda contents, _: contents.pop("revision"), id="no revision"),
        pytest.param(lambda _, files: files.pop("tables/people.jsonl"), id="no people"),
    ],
)
def test_a_strange_backup_is_refused_and_nothing_is_restored(
    elsewhere: dict[str, str],
    backup: Path,
    change: Change,
    *,
    keys: tuple[str, ...],
    tmp_path: Path,
) -> None:
    refused = command(elsewhere, "restore", rewritten(backup, change))
    assert isinstance(refused.exception, UnusableBackup), refused.exception
    assert not (tmp_path / "escaped").exists()
    assert not (tmp_path / "elsewhere" / "models").exists()
    # A valid backup can be restored into the same database.
    assert command(elsewhere, "restore", backup).exit_code == 0
    assert people(elsewhere, keys) == [ADA]


@sqlite_only
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_a_backup_with_a_link_as_its_contents_is_refused(
    elsewhere: dict[str, str], kind: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "links.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("backup.json")
        member.type, member.linkname = kind, "backup.json"
        archive.addfile(member)
    assert isinstance(command(elsewhere, "restore", path).exception, UnusableBackup)


@sqlite_only
def test_a_folder_is_not_a_backup(elsewhere: dict[str, str], tmp_path: Path) -> None:
    assert isinstance(command(elsewhere, "restore", tmp_path).exception, UnusableBackup)


@sqlite_only
@pytest.mark.parametrize("damage", ["cut", "changed", "renamed", "not a tar", "missing"])
def test_a_damaged_backup_is_refused_before_anything_is_written(
    elsewhere: dict[str, str], backup: Path, damage: str, tmp_path: Path
) -> None:
    data = bytearray(backup.read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "changed":
        at = data.index(b'"created_at"')
        data[at + 3] ^= 1
    elif damage == "renamed":
        data = data.replace(b"tables/secrets.jsonl", b"../../../secret.json")
    elif damage == "not a tar":
        data = bytearray(b"a backup")
    backup.write_bytes(data)
    if damage == "missing":
        backup.unlink()
    refused = command(elsewhere, "restore", backup)
    assert isinstance(refused.exception, UnusableBackup), refused.exception
    assert not (tmp_path / "elsewhere").exists()
