"""A blocked person's updates are dropped, and nothing is sent to them except replies about their own data."""

from storage.chat import blocks, inbox, outbox
from storage.chat.outbox import Draft
from storage.db.database import Database
from storage.db.states import ReplyState, UpdateState
from storage.db.tables import BlockedPersonRow, ReplyRow, UpdateRow
from storage.privacy.erasure import erase

BOT, PERSON, OTHER = 900, 7, 8


def test_a_blocked_person_s_updates_are_not_stored_until_they_are_unblocked(database: Database) -> None:
    with database.unit_of_work() as unit:
        assert blocks.block(unit, PERSON)
        assert not blocks.block(unit, PERSON)
        assert not inbox.receive(unit, BOT, 1, PERSON, "{}")
        assert inbox.receive(unit, BOT, 2, OTHER, "{}")
        assert unit.get(UpdateRow, (BOT, 1)) is None
        assert blocks.unblock(unit, PERSON)
        assert not blocks.unblock(unit, PERSON)
        assert inbox.receive(unit, BOT, 3, PERSON, "{}")


def test_a_block_drops_pending_updates_without_keeping_their_text(database: Database) -> None:
    with database.unit_of_work() as unit:
        inbox.receive(unit, BOT, 1, PERSON, "{}")
        inbox.receive(unit, BOT, 2, OTHER, "{}")
        blocks.block(unit, PERSON)
    with database.reading() as unit:
        dropped = unit.get_one(UpdateRow, (BOT, 1))
        assert (dropped.state, dropped.payload, dropped.telegram_id) == (UpdateState.HANDLED, None, None)
        assert unit.get_one(UpdateRow, (BOT, 2)).state is UpdateState.RECEIVED


def test_nothing_is_sent_to_a_blocked_person(database: Database) -> None:
    with database.unit_of_work() as unit:
        pending = outbox.enqueue(unit, Draft(BOT, PERSON, {"text": "Positive"}))
        blocks.block(unit, PERSON)
    with database.unit_of_work() as unit:
        assert outbox.claim_next(unit, BOT, PERSON) is None
    with database.reading() as unit:
        assert unit.get_one(ReplyRow, pending).state is ReplyState.FAILED
        assert not outbox.is_pending(unit, BOT, PERSON)


def test_only_answers_to_updates_stored_since_the_block_are_sent(database: Database) -> None:
    with database.unit_of_work() as unit:
        before = outbox.enqueue(unit, Draft(BOT, PERSON, {"text": "Positive"}, update_id=1))
        blocks.block(unit, PERSON)
        notice = outbox.enqueue(unit, Draft(BOT, PERSON, {"text": "A new model is live"}))
        answer = outbox.enqueue(unit, Draft(BOT, PERSON, {"text": "What I keep"}, update_id=2))
    with database.unit_of_work() as unit:
        claimed = outbox.claim_next(unit, BOT, PERSON)
        assert claimed is not None
        assert claimed.id == answer
    with database.reading() as unit:
        assert [unit.get_one(ReplyRow, reply).state for reply in (before, notice)] == [ReplyState.FAILED] * 2


def test_deletion_does_not_lift_a_block_which_names_nobody(database: Database) -> None:
    with database.unit_of_work() as unit:
        blocks.block(unit, PERSON)
        erase(unit, PERSON)
        assert blocks.is_blocked(unit, PERSON)
        assert str(PERSON).encode() != unit.query(BlockedPersonRow).one().person_hash
