"""Units of work are atomic, take turns writing, read from a single snapshot, and check the encryption key."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storage.chat.inbox import fail, pending_updates, receive
from storage.chat.people import upsert_person
from storage.db.database import Database
from storage.db.key_rotation import rotate_keys
from storage.db.tables import Base, ConsentRow, MessageRow, PersonRow, UpdateRow
from storage.errors import KeyWrong
from storage.privacy.consent import consent_of

# A process that writes, prints a line and waits to be killed before its unit of work ends.
WRITES_AND_WAITS = """
import sys
from storage.db.database import Database
from storage.chat.people import upsert_person
from storage.chat.inbox import receive
database = Database.open(sys.argv[1], [sys.argv[2]])
with database.unit_of_work() as unit:
    receive(unit, 900, 1, 7, "half")
    upsert_person(unit, 7, "Ada", "en")
    print("written", flush=True)
    sys.stdin.read()
"""

# A process in which two threads write concurrently.
WRITES_A_LOT = """
import sys
from concurrent.futures import ThreadPoolExecutor
from storage.db.database import Database
from storage.chat.people import upsert_person
from storage.chat.inbox import receive, pending_updates
database = Database.open(sys.argv[1], [sys.argv[2]])
def write(update_id):
    with database.unit_of_work() as unit:
        pending_updates(unit, 900)
        upsert_person(unit, 7, f"name {update_id}", "en")
        return receive(unit, 900, update_id, 7, "payload")
with ThreadPoolExecutor(2) as threads:
    print(sum(threads.map(write, range(40))))
"""


def count(unit: Session, table: type[Base]) -> int:
    return unit.scalars(select(func.count()).select_from(table)).one()


def test_a_unit_commits_at_its_end(database: Database) -> None:
    with database.unit_of_work() as unit:
        person = upsert_person(unit, 7, "Ada", "en")
    with database.reading() as unit:
        assert only_person(unit) == (person.id, 7, "en")


def only_person(unit: Session) -> tuple[int, int, str | None]:
    row = unit.scalars(select(PersonRow)).one()
    return row.id, row.telegram_id, row.language


def test_a_unit_that_raises_leaves_nothing(database: Database) -> None:
    def fail_after_writing() -> None:
        with database.unit_of_work() as unit:
            upsert_person(unit, 7, "Ada", "en")
            raise RuntimeError("failed")

    with pytest.raises(RuntimeError, match="failed"):
        fail_after_writing()
    with database.reading() as unit:
        assert count(unit, PersonRow) == 0


def test_a_killed_process_leaves_nothing_half_written(
    database: Database, database_url: str, keys: tuple[str, ...]
) -> None:
    command = [sys.executable, "-c", WRITES_AND_WAITS, database_url, keys[0]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.kill()
        process.wait(timeout=30)
    with database.unit_of_work() as unit:
        assert (count(unit, PersonRow), count(unit, UpdateRow)) == (0, 0)
        assert receive(unit, 900, 1, 7, "whole")


def test_processes_and_threads_write_concurrently(database: Database, database_url: str, keys: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", WRITES_A_LOT, database_url, keys[0]]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    stored = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(stored) == 40
    with database.reading() as unit:
        assert [update.update_id for update in pending_updates(unit, 900)] == list(range(40))
        assert count(unit, PersonRow) == 1


def test_concurrent_failures_are_all_counted(database: Database) -> None:
    with database.unit_of_work() as unit:
        receive(unit, 900, 1, None, "payload")

    def fail_once(_: int) -> int | None:
        with database.unit_of_work() as unit:
            return fail(unit, 900, 1, "ValueError")

    with ThreadPoolExecutor(4) as threads:
        counted = list(threads.map(fail_once, range(4)))
    assert sorted(attempts for attempts in counted if attempts is not None) == [1, 2, 3]
    assert counted.count(None) == 1, "an update that is set aside counts no more failures"


def test_a_write_while_reading_is_refused(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"readonly|read-only"), database.reading() as unit:
        upsert_person(unit, 7, "Ada", "en")
    with pytest.raises(DBAPIError, match=r"readonly|read-only"), database.reading() as unit:
        unit.add(PersonRow(telegram_id=7, name=b""))
    with database.unit_of_work() as unit:
        assert count(unit, PersonRow) == 0
        upsert_person(unit, 7, "Ada", "en")


def test_reading_sees_one_snapshot_and_blocks_no_writer(database: Database) -> None:
    with database.reading() as reader:
        assert count(reader, PersonRow) == 0
        writer = threading.Thread(target=upsert_in_a_unit, args=(database,))
        writer.start()
        writer.join(timeout=20)
        assert not writer.is_alive()
        assert count(reader, PersonRow) == 0
    with database.reading() as reader:
        assert count(reader, PersonRow) == 1


def upsert_in_a_unit(database: Database) -> None:
    with database.unit_of_work() as unit:
        upsert_person(unit, 7, "Ada", "en")


def test_foreign_keys_are_enforced(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"(?i)foreign key"), database.unit_of_work() as unit:
        unit.add(ConsentRow(person_id=12345, scope="training", consent="asked", wording="1"))


def test_datetimes_are_read_back_aware_and_in_utc(database: Database) -> None:
    before = datetime.now(UTC)
    with database.unit_of_work() as unit:
        upsert_person(unit, 7, "Ada", "en")
    with database.reading() as unit:
        created = unit.scalars(select(PersonRow.created_at)).one()
    assert created.tzinfo is UTC
    assert before <= created <= datetime.now(UTC)
    with pytest.raises(Exception, match="no time zone"), database.reading() as unit:
        unit.execute(select(MessageRow).where(MessageRow.created_at < datetime(2026, 1, 1)))


def test_a_wrong_key_does_not_open_the_database(database: Database, database_url: str) -> None:
    with pytest.raises(KeyWrong):
        Database.open(database_url, [Fernet.generate_key().decode()])


def test_reopening_keeps_the_key_of_the_hash(database: Database, database_url: str, keys: tuple[str, ...]) -> None:
    again = Database.open(database_url, keys)
    with database.reading() as one, again.reading() as other:
        assert one.cipher.fingerprint("I liked it") == other.cipher.fingerprint("I liked it")
    again.close()


def test_opening_a_new_database_concurrently_creates_one_key_of_the_hash(
    database_url: str, keys: tuple[str, ...]
) -> None:
    def open_and_hash(_: int) -> bytes:
        database = Database.open(database_url, keys)
        with database.reading() as unit:
            fingerprint = unit.cipher.fingerprint("I liked it")
        database.close()
        return fingerprint

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(open_and_hash, range(4)))) == 1


def test_a_rotated_database_no_longer_needs_the_old_key(
    database: Database, database_url: str, keys: tuple[str, ...]
) -> None:
    with database.unit_of_work() as unit:
        person = upsert_person(unit, 7, "Ada", "en")
        receive(unit, 900, 1, 7, "payload")
        receive(unit, 900, 2, 7, "another")
        fingerprint = unit.cipher.fingerprint("I liked it")
    new = Fernet.generate_key().decode()
    both = Database.open(database_url, [new, *keys])
    with both.unit_of_work() as unit:
        assert rotate_keys(unit) == 4  # the hash key, a name and two payloads
    both.close()

    only_new = Database.open(database_url, [new])
    with only_new.reading() as unit:
        assert [update.payload for update in pending_updates(unit, 900)] == ["payload", "another"]
        assert unit.cipher.decrypt(unit.scalars(select(PersonRow.name)).one()) == "Ada"
        assert unit.cipher.fingerprint("I liked it") == fingerprint
        assert consent_of(unit, person.id) == "never_asked"
    only_new.close()
    with pytest.raises(KeyWrong):
        Database.open(database_url, keys)
