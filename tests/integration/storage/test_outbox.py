"""The outbox enqueues replies, hands them out in order, and never sends them twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from storage.chat.outbox import (
    Draft,
    Reply,
    answer_to,
    claim_next,
    enqueue,
    mark_failed,
    mark_pending,
    mark_sent,
    mark_uncertain,
    pending_chats,
    release_claim,
    requeue_interrupted,
)
from storage.chat.people import upsert_person
from storage.db.column_types import utc_now
from storage.db.database import Database
from storage.db.states import ReplyState
from storage.db.tables import ReplyRow
from storage.privacy.erasure import erase

BOT = 900
CHAT = 7
PAYLOAD = {
    "text": "👍 Positive, 90%",
    "reply_markup": {"inline_keyboard": [[{"text": "right", "callback_data": "r1"}]]},
}


def enqueue_replies(database: Database, count: int = 1, **columns: int) -> list[int]:
    with database.unit_of_work() as unit:
        person = upsert_person(unit, 7, "Ada", "en")
        fields = {"bot_id": BOT, "chat_id": CHAT, **columns}
        return [enqueue(unit, Draft(payload=PAYLOAD, person_id=person.id, **fields)) for _ in range(count)]


def claim_reply(database: Database, chat_id: int = CHAT) -> Reply | None:
    with database.unit_of_work() as unit:
        return claim_next(unit, BOT, chat_id)


def state_of(database: Database, reply_id: int) -> ReplyState:
    with database.reading() as unit:
        return unit.get_one(ReplyRow, reply_id).state


def test_a_chat_s_replies_are_claimed_in_order(database: Database) -> None:
    first, second = enqueue_replies(database, 2)
    enqueue_replies(database, chat_id=8)
    enqueue_replies(database, bot_id=BOT + 1, chat_id=9)
    with database.reading() as unit:
        assert sorted(pending_chats(unit, BOT)) == [7, 8]
    assert claim_reply(database) == Reply(first, BOT, CHAT, PAYLOAD, None, None)
    again = claim_reply(database)
    assert again is not None
    assert again.id == second
    assert claim_reply(database) is None
    with database.reading() as unit:
        assert pending_chats(unit, BOT) == [8]


def test_only_a_pending_reply_is_claimed(database: Database) -> None:
    sent, uncertain, failed, again = enqueue_replies(database, 4)
    with database.unit_of_work() as unit:
        mark_sent(unit, sent, 55)
        mark_uncertain(unit, uncertain, "ReadTimeout")
        mark_failed(unit, failed, "Forbidden: bot was blocked by the user")
    for _ in range(2):
        claimed = claim_reply(database)
        assert claimed is not None
        assert claimed.id == again
        with database.unit_of_work() as unit:
            mark_pending(unit, again)
    with database.reading() as unit:
        row = unit.get_one(ReplyRow, failed)
        assert row.state is ReplyState.FAILED
        assert row.reason is not None
        assert unit.cipher.decrypt(row.reason) == "Forbidden: bot was blocked by the user"


def test_a_reply_is_claimed_once(database: Database) -> None:
    (reply,) = enqueue_replies(database)
    with ThreadPoolExecutor(4) as threads:
        claimed = [found for found in threads.map(lambda _: claim_reply(database), range(4)) if found]
    assert [found.id for found in claimed] == [reply]


def test_a_reply_that_revises_another_edits_its_message(database: Database) -> None:
    (first,) = enqueue_replies(database, answers=70)
    with database.unit_of_work() as unit:
        assert answer_to(unit, BOT, CHAT, 70) == first
        assert answer_to(unit, BOT, CHAT, 71) is None
    enqueue_replies(database, answers=70, revises=first)
    assert claim_reply(database) == Reply(first, BOT, CHAT, PAYLOAD, 70, None)
    with database.unit_of_work() as unit:
        mark_sent(unit, first, 55)
    revising = claim_reply(database)
    assert revising is not None
    assert revising.telegram_message_id == 55
    enqueue_replies(database, answers=70, revises=revising.id)
    later = claim_reply(database)
    assert later is not None
    assert later.telegram_message_id == 55


def test_a_reply_that_revises_an_unsent_one_is_a_new_message(database: Database) -> None:
    (first,) = enqueue_replies(database, answers=70)
    enqueue_replies(database, answers=70, revises=first)
    claim_reply(database)
    with database.unit_of_work() as unit:
        mark_uncertain(unit, first, "ReadTimeout")
    revising = claim_reply(database)
    assert revising is not None
    assert (revising.answers, revising.telegram_message_id) == (70, None)
    with database.unit_of_work() as unit:
        mark_sent(unit, revising.id, 56)
        assert answer_to(unit, BOT, CHAT, 70) == revising.id
        mark_failed(unit, revising.id, "gone")
        assert answer_to(unit, BOT, CHAT, 70) == first


def test_after_a_crash_only_edits_are_sent_again(database: Database) -> None:
    (message,) = enqueue_replies(database)
    claim_reply(database)
    (edit,) = enqueue_replies(database, edits=55)
    claim_reply(database)
    (pending,) = enqueue_replies(database)
    (other,) = enqueue_replies(database, bot_id=BOT + 1)
    with database.unit_of_work() as unit:
        claim_next(unit, BOT + 1, CHAT)
        assert requeue_interrupted(unit, BOT) == 1
    assert state_of(database, message) is ReplyState.UNCERTAIN
    assert state_of(database, edit) is ReplyState.PENDING
    assert state_of(database, pending) is ReplyState.PENDING
    assert state_of(database, other) is ReplyState.SENDING
    with database.unit_of_work() as unit:
        assert requeue_interrupted(unit, BOT) == 0


def test_marking_an_erased_reply_does_nothing(database: Database) -> None:
    (reply,) = enqueue_replies(database)
    with database.unit_of_work() as unit:
        erase(unit, 7)
    assert claim_reply(database) is None
    with database.unit_of_work() as unit:
        mark_sent(unit, reply, 55)
        assert unit.get(ReplyRow, reply) is None


def test_only_the_claim_of_that_time_is_released(database: Database) -> None:
    [reply_id] = enqueue_replies(database)
    first, second = utc_now(), utc_now() + timedelta(microseconds=1)
    with database.unit_of_work() as unit:
        claim_next(unit, BOT, CHAT, second)
        release_claim(unit, BOT, CHAT, first)
    assert state_of(database, reply_id) is ReplyState.SENDING
    with database.unit_of_work() as unit:
        release_claim(unit, BOT, CHAT, second)
    assert claim_reply(database) is not None
