"""Data is deleted once its retention period is over."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from storage.chat.inbox import MAX_ATTEMPTS, fail, finish, receive
from storage.chat.messages import MessagePart, find_by_part, get_message, store_message
from storage.chat.outbox import Draft, claim_next, enqueue, mark_failed, mark_sent, mark_uncertain
from storage.chat.people import upsert_person
from storage.chat.predictions import get_prediction
from storage.db.database import Database
from storage.db.states import Consent, Vote
from storage.db.tables import MessageRow, ReplyRow, UpdateRow
from storage.feedback.votes import record_vote
from storage.privacy.consent import record_consent
from storage.privacy.retention import PurgedRows, purge
from tests.personal_rows import BOT, StoreReview, counts


def after(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def test_old_messages_are_deleted_with_everything_that_refers_to_them(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "I liked it")
        record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
        enqueue(unit, Draft(BOT, 7, {"text": "Positive"}, review.person_id, review.prediction_id))
        assert purge(unit, after(364), message_days=365, inbox_days=7) == PurgedRows(0, 0, 0)
        assert purge(unit, after(366), message_days=365, inbox_days=7).messages == 1
        left = counts(unit)
    assert {name for name, count in left.items() if count} == {"people", "model_versions", "secrets"}


@pytest.mark.parametrize(
    ("ledger", "has_vote", "kept"),
    [
        ([Consent.GRANTED], True, True),
        ([Consent.GRANTED], False, False),
        ([], True, False),
        ([Consent.ASKED], True, False),
        ([Consent.GRANTED, Consent.WITHDRAWN], True, False),
        ([Consent.WITHDRAWN, Consent.GRANTED], True, True),
    ],
)
def test_only_messages_with_a_vote_and_consent_are_kept(
    database: Database, store_review: StoreReview, ledger: list[Consent], has_vote: bool, kept: bool
) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "I liked it", telegram_id=7)
        bystander = store_review(unit, "Another one", telegram_id=8)
        record_consent(unit, bystander.person_id, Consent.GRANTED, "1")
        for consent in ledger:
            record_consent(unit, review.person_id, consent, "1")
        if has_vote:
            record_vote(unit, review.person_id, review.prediction_id, Vote.WRONG)
        purge(unit, after(366), message_days=365, inbox_days=7)
    with database.reading() as unit:
        assert (get_prediction(unit, review.prediction_id) is not None) == kept
        assert get_message(unit, bystander.message_id) is None


@pytest.mark.parametrize("consent", [Consent.GRANTED, Consent.WITHDRAWN])
def test_old_votes_of_people_who_withdrew_are_deleted(
    database: Database, store_review: StoreReview, consent: Consent
) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "I liked it", telegram_id=7)
        voter = upsert_person(unit, 8, "Ben", "en")
        record_consent(unit, review.person_id, Consent.GRANTED, "1")
        record_consent(unit, voter.id, consent, "1")
        record_vote(unit, voter.id, review.prediction_id, Vote.WRONG)
        purge(unit, after(364), message_days=365, inbox_days=7)
        assert counts(unit)["judgements"] == 1
        purge(unit, after(366), message_days=365, inbox_days=7)
        assert counts(unit)["judgements"] == (consent is Consent.GRANTED)


def test_a_revision_is_kept_when_its_original_is_deleted(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        person = upsert_person(unit, 7, "Ada", "en")
        old = store_message(unit, person.id, BOT, 7, [MessagePart(1, "I liked it")])
        new = store_review(unit, "I loved it", telegram_id=7)
        unit.get_one(MessageRow, new.message_id).revises = old
        record_vote(unit, person.id, new.prediction_id, Vote.RIGHT)
        record_consent(unit, person.id, Consent.GRANTED, "1")
        assert purge(unit, after(366), message_days=365, inbox_days=7).messages == 1
    with database.reading() as unit:
        assert get_message(unit, old) is None
        assert unit.get_one(MessageRow, new.message_id).revises is None
        revision = get_message(unit, new.message_id)
        assert revision is not None
        assert find_by_part(unit, BOT, 7, revision.parts[0].telegram_message_id) == revision


def test_finished_updates_are_purged_except_the_newest(database: Database) -> None:
    with database.unit_of_work() as unit:
        for update_id in (1, 2, 3, 4):
            receive(unit, BOT, update_id, 7, "payload")
        receive(unit, BOT + 1, 1, 7, "payload")
        for _ in range(MAX_ATTEMPTS):
            fail(unit, BOT, 1, "ValueError")
        for bot_id, update_id in ((BOT, 2), (BOT, 4), (BOT + 1, 1)):
            finish(unit, bot_id, update_id)
        assert purge(unit, after(6), message_days=365, inbox_days=7).updates == 0
        assert purge(unit, after(8), message_days=365, inbox_days=7).updates == 2
        left = unit.execute(
            select(UpdateRow.bot_id, UpdateRow.update_id).order_by(UpdateRow.bot_id, UpdateRow.update_id)
        )
        assert [tuple(row) for row in left] == [(BOT, 3), (BOT, 4), (BOT + 1, 1)]


def test_only_replies_in_a_final_state_are_purged(database: Database) -> None:
    with database.unit_of_work() as unit:
        sending, pending, sent, uncertain, failed = [enqueue(unit, Draft(BOT, 7, {"text": "Hello"})) for _ in range(5)]
        claim_next(unit, BOT, 7)
        mark_sent(unit, sent, 5)
        mark_uncertain(unit, uncertain, "ReadTimeout")
        mark_failed(unit, failed, "Forbidden")
        assert purge(unit, after(6), message_days=365, inbox_days=7).replies == 0
        assert purge(unit, after(8), message_days=365, inbox_days=7).replies == 3
        assert unit.scalars(select(ReplyRow.id).order_by(ReplyRow.id)).all() == [sending, pending]
