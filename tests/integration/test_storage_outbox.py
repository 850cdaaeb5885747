"""The outbox: what is owed, sent, and never sent twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from storage.database import Database
from storage.people import erase, meet
from storage.replies import (
    Reply,
    ReplyState,
    enqueue,
    mark_failed,
    mark_pending,
    mark_sent,
    mark_uncertain,
    reply_for_prediction,
    settle_interrupted,
    take,
    unsent,
)
from storage.tables import ReplyRow

BOT = 900
PAYLOAD = {
    "text": "👍 Positive, 90 %",
    "reply_markup": {"inline_keyboard": [[{"text": "right", "callback_data": "r1"}]]},
}


def owe(database: Database, count: int = 1) -> list[int]:
    with database.unit_of_work() as unit:
        person = meet(unit, 7, "Ada", "en")
        return [enqueue(unit, BOT, person.id, 7, "sendMessage", PAYLOAD) for _ in range(count)]


def state_of(database: Database, reply_id: int) -> ReplyState:
    with database.reading() as unit:
        return unit.get_one(ReplyRow, reply_id).state


def test_replies_wait_in_the_order_they_were_owed(database: Database) -> None:
    first, second = owe(database, 2)
    with database.unit_of_work() as unit:
        enqueue(unit, BOT + 1, None, 7, "sendMessage", PAYLOAD)
    with database.reading() as unit:
        waiting = unsent(unit, BOT)
    assert [reply.id for reply in waiting] == [first, second]
    assert waiting[0] == Reply(first, BOT, 7, "sendMessage", PAYLOAD, None, ReplyState.PENDING, None)


def test_a_reply_on_its_way_or_settled_waits_no_more(database: Database) -> None:
    sending, sent, uncertain, failed, again = owe(database, 5)
    with database.unit_of_work() as unit:
        take(unit, sending)
        mark_sent(unit, sent, 55)
        mark_uncertain(unit, uncertain, "ReadTimeout")
        mark_failed(unit, failed, "Forbidden: bot was blocked by the user")
        take(unit, again)
        mark_pending(unit, again)
    with database.reading() as unit:
        assert [reply.id for reply in unsent(unit, BOT)] == [again]
        row = unit.get_one(ReplyRow, failed)
        assert row.state is ReplyState.FAILED
        assert row.reason is not None
        assert unit.cipher.decrypt(row.reason) == "Forbidden: bot was blocked by the user"


def test_a_reply_is_taken_once(database: Database) -> None:
    (reply,) = owe(database)

    def take_in_a_unit(_: int) -> Reply | None:
        with database.unit_of_work() as unit:
            return take(unit, reply)

    with ThreadPoolExecutor(4) as threads:
        taken = [found for found in threads.map(take_in_a_unit, range(4)) if found]
    assert taken == [Reply(reply, BOT, 7, "sendMessage", PAYLOAD, None, ReplyState.SENDING, None)]
    with database.unit_of_work() as unit:
        mark_pending(unit, reply)
        assert take(unit, reply) is not None
        mark_sent(unit, reply, 55)
        assert take(unit, reply) is None


def test_what_a_dead_process_left_sending_is_uncertain_and_not_sent_again(database: Database) -> None:
    sending, pending, sent = owe(database, 3)
    with database.unit_of_work() as unit:
        take(unit, sending)
        mark_sent(unit, sent, 55)
        other = enqueue(unit, BOT + 1, None, 7, "sendMessage", PAYLOAD)
        take(unit, other)
    with database.unit_of_work() as unit:
        assert settle_interrupted(unit, BOT) == 1
    assert state_of(database, sending) is ReplyState.UNCERTAIN
    assert state_of(database, sent) is ReplyState.SENT
    assert state_of(database, other) is ReplyState.SENDING
    with database.unit_of_work() as unit:
        assert [reply.id for reply in unsent(unit, BOT)] == [pending]
        assert settle_interrupted(unit, BOT) == 0


def test_the_newest_reply_that_arrived_shows_a_prediction(database: Database, remember: Callable[..., Any]) -> None:
    with database.unit_of_work() as unit:
        review = remember(unit, "I liked it")
        about = review.prediction_id
        first = enqueue(unit, BOT, review.person_id, 7, "sendMessage", PAYLOAD, about)
        assert reply_for_prediction(unit, about) is None
        mark_sent(unit, first, 55)
        lost = enqueue(unit, BOT, review.person_id, 7, "sendMessage", PAYLOAD, about)
        mark_uncertain(unit, lost, "ReadTimeout")
        shown = reply_for_prediction(unit, about)
        assert shown is not None
        assert (shown.id, shown.telegram_message_id, shown.state) == (first, 55, ReplyState.SENT)
        second = enqueue(unit, BOT, review.person_id, 7, "editMessageText", PAYLOAD, about)
        mark_sent(unit, second, 55)
        shown = reply_for_prediction(unit, about)
        assert shown is not None
        assert (shown.id, shown.prediction_id) == (second, about)


def test_marking_a_reply_that_was_erased_meanwhile_does_nothing(database: Database) -> None:
    (reply,) = owe(database)
    with database.unit_of_work() as unit:
        erase(unit, 7)
    with database.unit_of_work() as unit:
        assert take(unit, reply) is None
        mark_sent(unit, reply, 55)
        assert unit.get(ReplyRow, reply) is None
