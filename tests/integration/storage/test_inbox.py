"""The inbox stores each update once, handles updates in order, and sets them aside after failures."""

import pytest
from sqlalchemy import select

from storage.chat.inbox import MAX_ATTEMPTS, StoredUpdate, fail, finish, pending_updates, receive
from storage.chat.people import find_person, upsert_person
from storage.db.database import Database
from storage.db.states import UpdateState
from storage.db.tables import UpdateRow
from storage.errors import UpdateHandled
from storage.privacy.erasure import erase

BOT = 900
OTHER_BOT = 901


def test_a_duplicate_is_dropped(database: Database) -> None:
    with database.unit_of_work() as unit:
        assert receive(unit, BOT, 1, 7, "first")
    with database.unit_of_work() as unit:
        assert not receive(unit, BOT, 1, 7, "second")
        assert receive(unit, OTHER_BOT, 1, 7, "another bot's")
        assert pending_updates(unit, BOT) == [StoredUpdate(BOT, 1, "first", 0)]


def test_pending_updates_are_in_the_order_of_their_ids(database: Database) -> None:
    with database.unit_of_work() as unit:
        for update_id in (2**40, 3, 1, 2):
            assert receive(unit, BOT, update_id, None, f"payload {update_id}")
    with database.reading() as unit:
        assert [update.update_id for update in pending_updates(unit, BOT)] == [1, 2, 3, 2**40]
        assert pending_updates(unit, OTHER_BOT) == []


def test_a_handled_update_keeps_only_its_id(database: Database) -> None:
    with database.unit_of_work() as unit:
        receive(unit, BOT, 1, 7, "payload")
        receive(unit, BOT, 2, 7, "payload")
        finish(unit, BOT, 1)
    with database.unit_of_work() as unit:
        assert [update.update_id for update in pending_updates(unit, BOT)] == [2]
        assert not receive(unit, BOT, 1, 7, "a late duplicate")
        row = unit.get_one(UpdateRow, (BOT, 1))
        assert (row.payload, row.telegram_id, row.state) == (None, None, UpdateState.HANDLED)
        assert row.finished_at is not None


def test_an_update_is_handled_once(database: Database) -> None:
    with database.unit_of_work() as unit:
        receive(unit, BOT, 1, 7, "payload")

    def handle() -> None:
        with database.unit_of_work() as unit:
            upsert_person(unit, telegram_id, "Someone", "en")
            finish(unit, BOT, 1)

    telegram_id = 7
    handle()
    telegram_id = 8
    with pytest.raises(UpdateHandled, match="Update 1"):
        handle()
    with database.reading() as unit:
        assert (find_person(unit, 7) is None, find_person(unit, 8) is None) == (False, True)


def test_a_pending_update_of_a_deleted_sender_can_be_finished_once(database: Database) -> None:
    with database.unit_of_work() as unit:
        receive(unit, BOT, 1, 7, "payload")
        erase(unit, 7)
        assert pending_updates(unit, BOT) == []
        finish(unit, BOT, 1)
        with pytest.raises(UpdateHandled):
            finish(unit, BOT, 1)


def test_an_update_that_fails_is_retried_then_set_aside(database: Database) -> None:
    with database.unit_of_work() as unit:
        receive(unit, BOT, 1, 7, "payload")
    for attempt in range(1, MAX_ATTEMPTS):
        with database.unit_of_work() as unit:
            assert fail(unit, BOT, 1, "ValueError") == attempt
            assert pending_updates(unit, BOT) == [StoredUpdate(BOT, 1, "payload", attempt)]
    with database.unit_of_work() as unit:
        assert fail(unit, BOT, 1, "ValueError: it quoted the text") == MAX_ATTEMPTS == 3
        assert pending_updates(unit, BOT) == []
        row = unit.scalars(select(UpdateRow)).one()
        assert row.state is UpdateState.FAILED
        assert row.payload is not None
        assert row.reason is not None
        assert unit.cipher.decrypt(row.payload) == "payload"
        assert unit.cipher.decrypt(row.reason) == "ValueError: it quoted the text"


def test_an_update_that_failed_once_can_still_be_handled(database: Database) -> None:
    with database.unit_of_work() as unit:
        receive(unit, BOT, 1, 7, "payload")
        fail(unit, BOT, 1, "TimedOut")
        finish(unit, BOT, 1)
        assert pending_updates(unit, BOT) == []


def test_any_json_is_stored_unchanged(database: Database) -> None:
    payload = '{"text": "\ud83d half an emoji, \x00, \u2028 and 漢字"}'
    with database.unit_of_work() as unit:
        receive(unit, BOT, 1, None, payload)
        assert pending_updates(unit, BOT)[0].payload == payload
