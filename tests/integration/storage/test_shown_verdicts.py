"""The verdicts that people were shown, with or without votes, and how each text got its votes."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from storage.chat.people import upsert_person
from storage.chat.predictions import mark_asked, mark_corrected, store_prediction
from storage.db.column_types import utc_now
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent, OfferState, Selection, Vote
from storage.db.tables import PredictionRow
from storage.feedback import label_offers
from storage.feedback.bulk_import import ImportedVote, ImportPrediction, import_votes
from storage.feedback.label_queue import QueuedText
from storage.feedback.shown_verdicts import ShownVerdict, ShownVerdicts, shown_verdicts
from storage.feedback.votes import record_vote
from storage.privacy.consent import record_consent

StoreReview = Callable[..., Any]
AUTHOR, LABELLER, OTHER, STRANGER, ADMIN = 7, 8, 9, 10, 11
SINCE = timedelta(days=30)


@pytest.fixture
def unit(database: Database) -> Iterator[UnitOfWork]:
    with database.unit_of_work() as opened:
        for telegram_id in (AUTHOR, LABELLER, OTHER):
            record_consent(opened, person(opened, telegram_id), Consent.GRANTED, "1")
        yield opened


def person(unit: UnitOfWork, telegram_id: int) -> int:
    return upsert_person(unit, telegram_id, f"Person {telegram_id}", "en").id


def vote(unit: UnitOfWork, review: Any, telegram_id: int, choice: Vote = Vote.RIGHT) -> None:
    record_vote(unit, person(unit, telegram_id), review.prediction_id, choice)


def label(unit: UnitOfWork, review: Any, telegram_id: int, selection: Selection, choice: Vote = Vote.RIGHT) -> None:
    """Vote in /label on a text that was chosen by ``selection``."""
    text_hash = unit.cipher.fingerprint(review.text)
    labeller = person(unit, telegram_id)
    queued = QueuedText(text_hash, review.message_id, review.prediction_id, selection)
    offer = label_offers.find_offer(unit, labeller, label_offers.offer_text(unit, labeller, queued))
    assert offer is not None
    label_offers.close_offer(unit, offer, OfferState.ANSWERED, "Positive")
    vote(unit, review, telegram_id, choice)


class Stored:
    """A stored review, with its text."""

    def __init__(self, review: Any, text: str) -> None:
        self.text = text
        self.message_id: int = review.message_id
        self.prediction_id: int = review.prediction_id


@pytest.fixture
def store(store_review: StoreReview) -> Callable[..., Stored]:
    return lambda unit, text, **given: Stored(store_review(unit, text, **given), text)


def shown(unit: UnitOfWork, since: datetime | None = None) -> ShownVerdicts:
    return shown_verdicts(unit, since or utc_now() - SINCE, 2, frozenset({ADMIN}))


def verdict_of(unit: UnitOfWork, review: Stored) -> ShownVerdict:
    (found,) = (verdict for verdict in shown(unit).verdicts if verdict.message_id == review.message_id)
    return found


def test_a_verdict_without_votes_has_only_its_facts(unit: UnitOfWork, store: Callable[..., Stored]) -> None:
    short, long = store(unit, "Good.", label="Negative"), store(unit, "Good. " * 100)
    mark_asked(unit, long.prediction_id, 0.1)
    first, second = shown(unit).verdicts
    assert first == ShownVerdict(short.message_id, person(unit, AUTHOR), "Negative", 0.9, first.size)
    assert (first.mistake, second.asked) == (None, True)
    assert second.size > 500 > first.size


def test_votes_below_the_quorum_are_not_usable_yet(unit: UnitOfWork, store: Callable[..., Stored]) -> None:
    review = store(unit, "Dull.")
    vote(unit, review, AUTHOR, Vote.WRONG)
    waiting = verdict_of(unit, review)
    assert (waiting.has_votes, waiting.usable, waiting.voted, waiting.agreed) == (True, False, False, "Negative")
    label(unit, review, LABELLER, Selection.LEAST_SURE, Vote.WRONG)
    agreed = verdict_of(unit, review)
    assert (agreed.usable, agreed.voted, agreed.drawn, agreed.mistake) == (True, True, False, True)
    vote(unit, review, OTHER)
    assert verdict_of(unit, review).agreed is None, "they disagree"
    vote(unit, review, ADMIN)
    decided = verdict_of(unit, review)
    assert (decided.usable, decided.by_admin, decided.mistake) == (True, True, False)


def test_a_text_that_was_drawn_first_has_its_votes_only_because_of_that(
    unit: UnitOfWork, store: Callable[..., Stored]
) -> None:
    drawn, completed = store(unit, "Drawn first."), store(unit, "Drawn to complete the author's vote.")
    label(unit, drawn, LABELLER, Selection.RANDOM)
    one = verdict_of(unit, drawn)
    assert (one.drawn, one.usable, one.voted, one.mistake) == (True, False, False, False)
    label(unit, drawn, OTHER, Selection.LEAST_SURE)
    both = verdict_of(unit, drawn)
    assert (both.drawn, both.usable, both.voted) == (True, True, False)
    vote(unit, completed, AUTHOR)
    label(unit, completed, LABELLER, Selection.RANDOM)
    whole = verdict_of(unit, completed)
    assert (whole.drawn, whole.usable, whole.voted) == (True, True, True)
    helped = store(unit, "Shown because the model is least sure.")
    label(unit, helped, LABELLER, Selection.LEAST_SURE)
    label(unit, helped, OTHER, Selection.RANDOM)
    assert verdict_of(unit, helped).voted


def test_people_who_do_not_consent_are_only_counted(unit: UnitOfWork, store: Callable[..., Stored]) -> None:
    vote(unit, store(unit, "Private, with a vote.", telegram_id=STRANGER), STRANGER)
    store(unit, "Private.", telegram_id=STRANGER)
    vote(unit, store(unit, "Shared."), STRANGER)
    found = shown(unit)
    assert (len(found.verdicts), found.without_consent, found.voted_without_consent) == (1, 2, 1)
    assert not found.verdicts[0].has_votes, "the vote of a person who does not consent does not count"
    assert found.voted_share == pytest.approx(1 / 3)
    assert ShownVerdicts(()).voted_share is None


def test_only_verdicts_that_a_bot_showed_count_and_each_text_once(
    unit: UnitOfWork, store: Callable[..., Stored]
) -> None:
    imported = {"From a file.": ImportPrediction("one", "Positive", 0.9, True, 1, (-1.0, 1.0))}
    first = store(unit, "Sent twice.")
    store(unit, "Sent twice.")
    edited = store(unit, "Before an edit.")
    after = store(unit, "After an edit.")
    store_prediction(unit, after.message_id, "one", "Negative", 0.8, True, 1, (1.0, -1.0), edited.prediction_id)
    mark_corrected(unit, store(unit, "Answered by people.").prediction_id)
    import_votes(unit, [ImportedVote("Anna", "From a file.", "Positive")], imported)
    vote(unit, first, AUTHOR)
    found = shown(unit).verdicts
    assert [verdict.message_id for verdict in found] == [first.message_id, after.message_id]
    assert (found[0].has_votes, found[1].label) == (True, "Negative")


def test_of_earlier_verdicts_only_those_with_votes_are_left(unit: UnitOfWork, store: Callable[..., Stored]) -> None:
    old, old_voted, new = (store(unit, text) for text in ("Old.", "Old, with a vote.", "New."))
    long_ago = utc_now() - 2 * SINCE
    for review in (old, old_voted):
        unit.change(update(PredictionRow).where(PredictionRow.id == review.prediction_id).values(created_at=long_ago))
    vote(unit, old_voted, AUTHOR)
    found = shown(unit)
    assert [verdict.message_id for verdict in found.verdicts] == [new.message_id]
    assert [verdict.message_id for verdict in found.earlier] == [old_voted.message_id]
    assert found.voted_share == 0
