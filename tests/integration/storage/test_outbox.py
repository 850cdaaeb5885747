"""The outbox: what is owed, sent, and never sent twice."""

from concurrent.futures import ThreadPoolExecutor

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
    requeue_interrupted,
)
from storage.chat.people import upsert_person
from storage.db.database import Database
from storage.db.states import ReplyState
from storage.db.tables import ReplyRow
from storage.privacy.erasure import erase

BOT = 900
CHAT = 7
PAYLOAD = {
    "text": "👍 Positive, 90 %",
    "reply_markup": {"inline_keyboard": [[{"text": "right", "callback_data": "r1"}]]},
}


def owe(database: Database, count: int = 1, **facts: int) -> list[int]:
    with database.unit_of_work() as unit:
        person = upsert_person(unit, 7, "Ada", "en")
        given = {"bot_id": BOT, "chat_id": CHAT, **facts}
        return [enqueue(unit, Draft(payload=PAYLOAD, person_id=person.id, **given)) for _ in range(count)]


def take(database: Database, chat_id: int = CHAT) -> Reply | None:
    with database.unit_of_work() as unit:
        return claim_next(unit, BOT, chat_id)


def state_of(database: Database, reply_id: int) -> ReplyState:
    with database.reading() as unit:
        return unit.get_one(ReplyRow, reply_id).state


def test_a_chat_s_replies_are_taken_in_the_order_they_were_owed(database: Database) -> None:
    first, second = owe(database, 2)
    owe(database, chat_id=8)
    owe(database, bot_id=BOT + 1, chat_id=9)
    with database.reading() as unit:
        assert sorted(pending_chats(unit, BOT)) == [7, 8]
    assert take(database) == Reply(first, BOT, CHAT, PAYLOAD, None, None)
    again = take(database)
    assert again is not None
    assert again.id == second
    assert take(database) is None
    with database.reading() as unit:
        assert pending_chats(unit, BOT) == [8]


def test_a_settled_reply_is_not_taken_and_one_that_is_owed_again_is(database: Database) -> None:
    sent, uncertain, failed, again = owe(database, 4)
    with database.unit_of_work() as unit:
        mark_sent(unit, sent, 55)
        mark_uncertain(unit, uncertain, "ReadTimeout")
        mark_failed(unit, failed, "Forbidden: bot was blocked by the user")
    for _ in range(2):
        taken = take(database)
        assert taken is not None
        assert taken.id == again
        with database.unit_of_work() as unit:
            mark_pending(unit, again)
    with database.reading() as unit:
        row = unit.get_one(ReplyRow, failed)
        assert row.state is ReplyState.FAILED
        assert row.reason is not None
        assert unit.cipher.decrypt(row.reason) == "Forbidden: bot was blocked by the user"


def test_a_reply_is_taken_once(database: Database) -> None:
    (reply,) = owe(database)
    with ThreadPoolExecutor(4) as threads:
        taken = [found for found in threads.map(lambda _: take(database), range(4)) if found]
    assert [found.id for found in taken] == [reply]


def test_a_reply_that_revises_another_changes_the_message_that_this_one_made(database: Database) -> None:
    (first,) = owe(database, answers=70)
    with database.unit_of_work() as unit:
        assert answer_to(unit, BOT, CHAT, 70) == first
        assert answer_to(unit, BOT, CHAT, 71) is None
    owe(database, answers=70, revises=first)
    assert take(database) == Reply(first, BOT, CHAT, PAYLOAD, 70, None)
    with database.unit_of_work() as unit:
        mark_sent(unit, first, 55)
    revising = take(database)
    assert revising is not None
    assert revising.telegram_message_id == 55
    owe(database, answers=70, revises=revising.id)
    later = take(database)
    assert later is not None
    assert later.telegram_message_id == 55


def test_a_reply_that_revises_one_that_never_arrived_is_a_new_message(database: Database) -> None:
    (first,) = owe(database, answers=70)
    owe(database, answers=70, revises=first)
    take(database)
    with database.unit_of_work() as unit:
        mark_uncertain(unit, first, "ReadTimeout")
    revising = take(database)
    assert revising is not None
    assert (revising.answers, revising.telegram_message_id) == (70, None)
    with database.unit_of_work() as unit:
        mark_sent(unit, revising.id, 56)
        assert answer_to(unit, BOT, CHAT, 70) == revising.id
        mark_failed(unit, revising.id, "gone")
        assert answer_to(unit, BOT, CHAT, 70) == first


def test_what_a_dead_process_left_sending_is_sent_again_only_where_that_is_harmless(database: Database) -> None:
    (message,) = owe(database)
    take(database)
    (change,) = owe(database, edits=55)
    take(database)
    (pending,) = owe(database)
    (other,) = owe(database, bot_id=BOT + 1)
    with database.unit_of_work() as unit:
        claim_next(unit, BOT + 1, CHAT)
        assert requeue_interrupted(unit, BOT) == 1
    assert state_of(database, message) is ReplyState.UNCERTAIN
    assert state_of(database, change) is ReplyState.PENDING
    assert state_of(database, pending) is ReplyState.PENDING
    assert state_of(database, other) is ReplyState.SENDING
    with database.unit_of_work() as unit:
        assert requeue_interrupted(unit, BOT) == 0


def test_marking_a_reply_that_was_erased_meanwhile_does_nothing(database: Database) -> None:
    (reply,) = owe(database)
    with database.unit_of_work() as unit:
        erase(unit, 7)
    assert take(database) is None
    with database.unit_of_work() as unit:
        mark_sent(unit, reply, 55)
        assert unit.get(ReplyRow, reply) is None
