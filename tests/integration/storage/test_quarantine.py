"""The quarantined texts that admins review."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import update

from storage.chat.people import upsert_person
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent, Vote
from storage.db.tables import PredictionRow
from storage.feedback.eligibility import eligible_texts
from storage.feedback.quarantine import QuarantineReason, count_quarantined, quarantined_texts
from storage.feedback.votes import record_vote
from storage.privacy.consent import record_consent

StoreReview = Callable[..., Any]
ADMIN = 1
ADMINS = frozenset({ADMIN})
AUTHOR, SECOND = 7, 8


def vote(unit: UnitOfWork, prediction_id: int, telegram_id: int, choice: Vote) -> None:
    person = upsert_person(unit, telegram_id, "Someone", "en")
    record_consent(unit, person.id, Consent.GRANTED, "1")
    record_vote(unit, person.id, prediction_id, choice)


def store_voted(unit: UnitOfWork, store_review: StoreReview, text: str, own: Vote, other: Vote) -> Any:
    review = store_review(unit, text, telegram_id=AUTHOR)
    vote(unit, review.prediction_id, AUTHOR, own)
    vote(unit, review.prediction_id, SECOND, other)
    return review


def test_a_disagreement_is_shown_until_an_admin_decides(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        store_voted(unit, store_review, "Both like it", Vote.RIGHT, Vote.RIGHT)
        review = store_voted(unit, store_review, "Nobody knows", Vote.RIGHT, Vote.NEITHER)
        later = store_voted(unit, store_review, "Nobody knows either", Vote.RIGHT, Vote.WRONG)
        shown = quarantined_texts(unit, 2, ADMINS, 10)
        assert [text.text for text in shown] == ["Nobody knows", "Nobody knows either"]
        first = shown[0]
        assert (first.prediction_id, first.author_id) == (review.prediction_id, review.person_id)
        assert (first.votes, first.reason) == (((None, 1), ("Positive", 1)), QuarantineReason.DISAGREEMENT)
        assert quarantined_texts(unit, 2, ADMINS, 1) == shown[:1]
        vote(unit, review.prediction_id, ADMIN, Vote.WRONG)
        assert [text.prediction_id for text in quarantined_texts(unit, 2, ADMINS, 10)] == [later.prediction_id]
        labels = {text.voted.prediction_id: text.label for text in eligible_texts(unit, 2, ADMINS)}
        assert labels[review.prediction_id] == "Negative"


def test_an_unlikely_label_is_shown_last_and_still_trains(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        odd = store_voted(unit, store_review, "Surely bad", Vote.WRONG, Vote.WRONG)
        store_voted(unit, store_review, "Perhaps bad", Vote.WRONG, Vote.WRONG)
        certain = update(PredictionRow).where(PredictionRow.id == odd.prediction_id).values(confidence=0.995)
        unit.change(certain)
        store_voted(unit, store_review, "Nobody knows", Vote.RIGHT, Vote.WRONG)
        assert [(text.text, text.reason) for text in quarantined_texts(unit, 2, ADMINS, 10)] == [
            ("Nobody knows", QuarantineReason.DISAGREEMENT),
            ("Surely bad", QuarantineReason.UNLIKELY),
        ]
        assert count_quarantined(unit, 2, ADMINS) == {QuarantineReason.DISAGREEMENT: 1, QuarantineReason.UNLIKELY: 1}
        assert "Negative" in {text.label for text in eligible_texts(unit, 2, ADMINS)}
        vote(unit, odd.prediction_id, ADMIN, Vote.WRONG)
        assert count_quarantined(unit, 2, ADMINS) == {QuarantineReason.DISAGREEMENT: 1}
