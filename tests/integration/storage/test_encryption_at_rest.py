"""People's texts are not readable on disk, and the ciphertext of a deleted text is gone too."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from ciphertexts import encrypted_values, pieces_of
from paths import ROOT
from sqlalchemy import delete, func, select, update

from storage.chat.inbox import receive
from storage.chat.messages import MessagePart, store_message
from storage.chat.people import upsert_person
from storage.db.column_types import EncryptedString
from storage.db.database import Database, UnitOfWork
from storage.db.engine import parse_address
from storage.db.key_rotation import rotate_keys
from storage.db.states import ReplyState, UpdateState
from storage.db.tables import (
    Base,
    BlockedPersonRow,
    BotRow,
    DayRow,
    PersonRow,
    ReplyRow,
    ReportedTroubleRow,
    UpdateRow,
    VoteRow,
    WorkerRow,
)
from storage.privacy.erasure import erase
from storage.privacy.retention import purge
from tests.personal_rows import BOT, SECRET, StoreReview, counts, store_rows_in_every_table


def test_nothing_that_a_person_wrote_is_readable_on_disk(
    request: pytest.FixtureRequest, database: Database, database_url: str, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        store_rows_in_every_table(unit, store_review, 7)
        unit.add(BotRow(bot_id=BOT, webhook_secret=unit.cipher.encrypt(SECRET)))
        unit.add(ReportedTroubleRow(bot_id=BOT, kind="failed update"))
        unit.add(BlockedPersonRow(person_hash=bytes(32)))
        unit.add(DayRow(day=date(2026, 1, 1), messages=1, people=1))
        unit.add(WorkerRow(process="1", queues="cpu"))
        unit.flush()
        assert all(counts(unit)[table.name] for table in Base.metadata.tables.values())
    if database_url.startswith("sqlite"):
        file = Path(parse_address(database_url).database or "")
        with database.reading():
            raw = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
        plain = b"models/one"
    else:
        server = request.getfixturevalue("postgres_server")
        address = parse_address(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
        # Plain text, with byte strings as characters instead of hexadecimal digits.
        raw = subprocess.run(
            [server.bin_path / "pg_dump", "--inserts", address],
            env={"PGOPTIONS": "-c bytea_output=escape"},
            check=True,
            capture_output=True,
        ).stdout
        plain = b"'models/one'"
    assert plain in raw
    assert SECRET.encode() not in raw
    assert SECRET.encode("utf-16-le") not in raw
    assert SECRET.encode().hex().encode() not in raw


def test_every_column_of_bytes_is_encrypted_or_a_hash() -> None:
    plain = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.type.python_type is bytes and not isinstance(column.type, EncryptedString)
    }
    hashes = {
        f"{table}.text_hash" for table in ("messages", "judgements", "snapshot_rows", "label_offers", "trial_texts")
    }
    hashes.add("blocked_people.person_hash")
    assert plain == hashes | {"training_runs.card"}, "the card is a chart and contains no text"


def bytes_of(database_url: str) -> bytes:
    """Return the contents of the SQLite file and its write-ahead log."""
    file = Path(parse_address(database_url).database or "")
    return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))


def erase_person(unit: UnitOfWork) -> None:
    erase(unit, 7)


def purge_all(unit: UnitOfWork) -> None:
    # The update with the highest id is kept, so add an update from another person after it.
    receive(unit, BOT, 999, 8, "{}")
    unit.change(delete(VoteRow))
    unit.change(update(ReplyRow).values(state=ReplyState.SENT))
    now = datetime.now(UTC)
    theirs = update(UpdateRow).where(UpdateRow.telegram_id == 7)
    unit.change(theirs.values(state=UpdateState.FAILED, finished_at=now))
    purge(unit, now + timedelta(days=366), message_days=365, inbox_days=7)


def rotate(unit: UnitOfWork) -> None:
    rotate_keys(unit)


@pytest.mark.parametrize("reader", [False, True])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("delete_texts", "kept"), [(erase_person, ("secrets",)), (purge_all, ("secrets", "people")), (rotate, ())]
)
def test_no_ciphertext_of_what_was_deleted_stays_in_the_file_or_its_log(
    database: Database,
    database_url: str,
    keys: tuple[str, ...],
    store_review: StoreReview,
    *,
    delete_texts: Callable[[UnitOfWork], None],
    kept: tuple[str, ...],
    reader: bool,
) -> None:
    with database.unit_of_work() as unit:
        store_rows_in_every_table(unit, store_review, 7)
        # A text that fills several database pages, which are freed.
        store_message(unit, 1, BOT, 7, [MessagePart(77, "A long review. " * 2_000)])
    with database.reading() as unit:
        noted = encrypted_values(unit, kept)
    before = bytes_of(database_url)
    assert len(noted) > 5
    assert all(ciphertext in before for ciphertext in noted if len(ciphertext) < 1_000)
    other = Database.open(database_url, keys)
    try:
        with ExitStack() as stack:
            if reader:  # in another process, which has a snapshot that prevents the log from being truncated
                stack.enter_context(other.reading()).scalar(select(func.count()).select_from(PersonRow))
            with database.unit_of_work() as unit:
                delete_texts(unit)
        if reader:
            with database.unit_of_work() as unit:
                upsert_person(unit, 9, "Somebody else", "en")
        found = bytes_of(database_url)
        assert not [piece for piece in pieces_of(noted) if piece in found]
    finally:
        other.close()


def test_the_documented_commands_remove_deleted_ciphertexts_from_the_files_of_postgresql(
    request: pytest.FixtureRequest, keys: tuple[str, ...], store_review: StoreReview
) -> None:
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    commands = page.partition("```sql\nVACUUM FULL;")[2].partition("```")[0].split(";")
    server = request.getfixturevalue("postgres_server")
    with request.getfixturevalue("postgres_databases")(request.getfixturevalue("migrated_postgres")) as url:
        database = Database.open(url, keys)
        with database.unit_of_work() as unit:
            store_rows_in_every_table(unit, store_review, 7)
        with database.unit_of_work() as unit:
            noted = encrypted_values(unit, ("secrets",))
            erase(unit, 7)
        database.close()
        address = parse_address(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as admin:
            admin.execute("CHECKPOINT")
            assert any(found_in_files(server.pgdata, noted)), "the test would notice if they stayed"
            for command in ("VACUUM FULL", *filter(None, map(str.strip, commands))):
                admin.execute(command.encode())
            assert not any(found_in_files(server.pgdata, noted))
            admin.execute("ALTER SYSTEM RESET wal_recycle")
            admin.execute("SELECT pg_reload_conf()")


def found_in_files(folder: Path, ciphertexts: set[bytes]) -> Iterator[bool]:
    """Yield, for each table file and log file, whether it contains one of the ciphertexts."""
    for part in ("base", "pg_wal"):
        for path in (folder / part).rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            yield any(ciphertext in content for ciphertext in ciphertexts)
