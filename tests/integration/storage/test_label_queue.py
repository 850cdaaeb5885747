"""How a labeller's next text is chosen, and how each offer of a text is recorded."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from storage.chat.messages import MessagePart, store_message
from storage.chat.people import upsert_person
from storage.db.column_types import utc_now
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent, OfferState, Selection, Vote
from storage.db.tables import OfferRow, PredictionRow
from storage.feedback import label_offers
from storage.feedback import votes as stored_votes
from storage.feedback.label_queue import LabelQueueRules, find_queued, next_text
from storage.privacy.consent import record_consent
from storage.privacy.erasure import erase

StoreReview = Callable[..., Any]
WORDING = "new"
ADMIN, AUTHOR, LABELLER, OTHER, THIRD, FOURTH = 1, 7, 8, 9, 11, 12
RULES = LabelQueueRules(quorum=2, admins=frozenset({ADMIN}), wording=WORDING)


def store_consenting_person(unit: UnitOfWork, telegram_id: int, wording: str = WORDING) -> int:
    person = upsert_person(unit, telegram_id, "Someone", "en")
    record_consent(unit, person.id, Consent.GRANTED, wording)
    return person.id


def store_text(unit: UnitOfWork, store_review: StoreReview, text: str, confidence: float, author: int = AUTHOR) -> Any:
    review = store_review(unit, text, telegram_id=author)
    with_confidence = (
        update(PredictionRow).where(PredictionRow.id == review.prediction_id).values(confidence=confidence)
    )
    unit.change(with_confidence)
    store_consenting_person(unit, author)
    return review


def vote(unit: UnitOfWork, review: Any, telegram_id: int, choice: Vote = Vote.RIGHT) -> None:
    stored_votes.record_vote(unit, store_consenting_person(unit, telegram_id), review.prediction_id, choice)


def next_prediction(unit: UnitOfWork, telegram_id: int = LABELLER) -> int | None:
    """Return the prediction for the next text that a person sees."""
    found = next_text(unit, store_consenting_person(unit, telegram_id), RULES)
    return found.prediction_id if found else None


def test_texts_with_a_vote_come_first_then_the_least_confident_predictions(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        labeller = store_consenting_person(unit, LABELLER)
        certain = store_text(unit, store_review, "Certain", 0.99)
        voted = store_text(unit, store_review, "Voted", 0.97)
        unsure = store_text(unit, store_review, "Unsure", 0.52)
        vote(unit, voted, AUTHOR)
        order = []
        while found := next_text(unit, labeller, RULES):
            order.append(found.prediction_id)
            label_offers.offer_text(unit, labeller, found)
        assert order == [voted.prediction_id, unsure.prediction_id, certain.prediction_id]


def test_random_texts_are_drawn_with_equal_chances_from_all_texts_that_need_votes(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        labeller = store_consenting_person(unit, LABELLER)
        waiting = [store_text(unit, store_review, f"Text {number}", 0.5 + number / 10) for number in range(4)]
        vote(unit, waiting[3], AUTHOR)
        decided = store_text(unit, store_review, "Decided", 0.5)
        vote(unit, decided, ADMIN)
        drawn = Counter[int]()
        for _ in range(400):
            found = next_text(unit, labeller, RULES, Selection.RANDOM)
            assert found is not None
            assert found.selection is Selection.RANDOM
            drawn[found.prediction_id] += 1
        assert set(drawn) == {review.prediction_id for review in waiting}
        # For equal chances, a count outside these bounds has a probability below one in a million.
        assert all(60 <= count <= 150 for count in drawn.values())


def test_the_two_ways_to_choose_a_text_alternate_and_are_recorded(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        labeller = store_consenting_person(unit, LABELLER)
        for number in range(4):
            store_text(unit, store_review, f"Text {number}", 0.6)
        label_offers.offer_gold(unit, labeller, "I loved it.", "Positive")
        for _ in range(4):
            queued = next_text(unit, labeller, RULES, label_offers.next_selection(unit, labeller))
            assert queued is not None
            label_offers.offer_text(unit, labeller, queued)
        stored = unit.scalars(select(OfferRow.selection).order_by(OfferRow.id)).all()
        both = [Selection.LEAST_SURE, Selection.RANDOM]
        assert stored == [None, *both, *both], "a gold question is not drawn"


def test_labellers_never_see_their_own_texts_or_texts_that_they_voted_on(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        review = store_text(unit, store_review, "The same words", 0.6)
        assert next_prediction(unit, AUTHOR) is None
        assert next_prediction(unit, LABELLER) == review.prediction_id
        store_text(unit, store_review, "The same words", 0.6, author=OTHER)
        assert next_prediction(unit, OTHER) is None
        vote(unit, review, LABELLER)
        assert next_prediction(unit, LABELLER) is None


def test_the_vote_of_an_admin_who_withdrew_decides_nothing(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        review = store_text(unit, store_review, "A text", 0.6)
        vote(unit, review, ADMIN)
        assert next_prediction(unit) is None
        record_consent(unit, upsert_person(unit, ADMIN, "Ada", "en").id, Consent.WITHDRAWN, WORDING)
        assert next_prediction(unit) == review.prediction_id


@pytest.mark.parametrize("consent", [None, (Consent.GRANTED, "old"), (Consent.WITHDRAWN, WORDING)])
def test_only_texts_whose_author_lets_others_read_them_are_shown(
    database: Database, store_review: StoreReview, consent: tuple[Consent, str] | None
) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "Not for everybody", telegram_id=AUTHOR)
        if consent is not None:
            store_consenting_person(unit, AUTHOR, "older")
            record_consent(unit, review.person_id, *consent)
        assert next_prediction(unit) is None
        store_consenting_person(unit, AUTHOR)
        assert next_prediction(unit) == review.prediction_id


@pytest.mark.parametrize(
    "votes",
    [
        [(AUTHOR, Vote.RIGHT), (OTHER, Vote.RIGHT)],
        [(AUTHOR, Vote.RIGHT), (OTHER, Vote.WRONG)],
        [(AUTHOR, Vote.RIGHT), (OTHER, Vote.NEITHER)],
        [(ADMIN, Vote.WRONG)],
    ],
    ids=["agreed", "disputed", "doubted", "decided"],
)
def test_a_text_that_needs_no_more_votes_is_not_shown(
    database: Database, store_review: StoreReview, votes: list[tuple[int, Vote]]
) -> None:
    with database.unit_of_work() as unit:
        review = store_text(unit, store_review, "A fine play", 0.6)
        for telegram_id, choice in votes:
            vote(unit, review, telegram_id, choice)
        assert next_prediction(unit) is None


def test_a_vote_without_consent_does_not_count(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        review = store_text(unit, store_review, "A fine play", 0.6)
        for telegram_id in (11, 12):
            stored_votes.record_vote(
                unit, upsert_person(unit, telegram_id, "Shy", "en").id, review.prediction_id, Vote.WRONG
            )
        vote(unit, review, OTHER)
        assert next_prediction(unit) == review.prediction_id


def test_an_edited_text_is_no_longer_shown(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        review = store_text(unit, store_review, "A fine play", 0.6)
        store_message(unit, review.person_id, 900, AUTHOR, [MessagePart(77, "A bad play")], revises=review.message_id)
        assert next_prediction(unit) is None


def offer_next(unit: UnitOfWork, telegram_id: int) -> None:
    """Offer the next text to a person."""
    person_id = store_consenting_person(unit, telegram_id)
    queued = next_text(unit, person_id, RULES)
    assert queued is not None
    label_offers.offer_text(unit, person_id, queued)


def test_a_text_whose_missing_votes_are_reserved_is_not_shown_to_others(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        voted = store_text(unit, store_review, "Voted", 0.97)
        vote(unit, voted, AUTHOR)
        unvoted = store_text(unit, store_review, "Not voted", 0.9)
        assert next_prediction(unit, LABELLER) == voted.prediction_id
        offer_next(unit, LABELLER)
        assert next_prediction(unit, LABELLER) == unvoted.prediction_id
        assert next_prediction(unit, OTHER) == unvoted.prediction_id
        offer_next(unit, OTHER)
        assert next_prediction(unit, THIRD) == unvoted.prediction_id, "it needs two votes, and one labeller has it open"
        offer_next(unit, THIRD)
        assert next_prediction(unit, FOURTH) is None


def test_an_unanswered_offer_stops_reserving_its_text(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        review = store_text(unit, store_review, "Voted", 0.97)
        vote(unit, review, AUTHOR)
        offer_next(unit, LABELLER)
        assert next_prediction(unit, OTHER) is None
        unit.change(update(OfferRow).values(created_at=utc_now() - timedelta(hours=1)))
        assert next_prediction(unit, OTHER) == review.prediction_id


def test_a_skipped_text_is_not_shown_again_unless_the_skip_is_undone(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        labeller = store_consenting_person(unit, LABELLER)
        store_text(unit, store_review, "A fine play", 0.6)
        queued = next_text(unit, labeller, RULES)
        assert queued is not None
        offer_id = label_offers.offer_text(unit, labeller, queued)
        offer = label_offers.find_offer(unit, labeller, offer_id)
        assert offer is not None
        assert offer.state is OfferState.SHOWN
        assert label_offers.last_closed_offer(unit, labeller) is None
        assert label_offers.close_offer(unit, offer, OfferState.SKIPPED)
        assert not label_offers.close_offer(unit, offer, OfferState.SKIPPED), "it is skipped already"
        assert next_text(unit, labeller, RULES) is None
        skipped = label_offers.last_closed_offer(unit, labeller)
        assert skipped is not None
        assert skipped.id == offer_id
        assert label_offers.close_offer(unit, skipped, OfferState.UNDONE)
        assert find_queued(unit, labeller, RULES, queued.text_hash, queued.selection) == queued
        assert label_offers.offer_text(unit, labeller, queued) == offer_id
        assert label_offers.count_offers(unit, labeller) == 1
        label_offers.clear_shown(unit, labeller)
        assert next_text(unit, labeller, RULES) == queued


def test_only_the_labeller_finds_their_offer(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        labeller, other = store_consenting_person(unit, LABELLER), store_consenting_person(unit, OTHER)
        offer_id = label_offers.offer_gold(unit, labeller, "I loved it.", "Positive")
        assert label_offers.find_offer(unit, labeller, offer_id) is not None
        assert label_offers.find_offer(unit, other, offer_id) is None


def test_answers_to_gold_questions_are_counted(database: Database) -> None:
    with database.unit_of_work() as unit:
        labeller = store_consenting_person(unit, LABELLER)
        for text, answer in (("I loved it.", "Positive"), ("I adored it.", "Negative"), ("I liked it.", None)):
            offer = label_offers.find_offer(unit, labeller, label_offers.offer_gold(unit, labeller, text, "Positive"))
            assert offer is not None
            state = OfferState.SKIPPED if answer is None else OfferState.ANSWERED
            label_offers.close_offer(unit, offer, state, answer)
        assert len(label_offers.offered_gold(unit, labeller)) == 3
        assert label_offers.gold_scores(unit) == [label_offers.GoldScore(labeller, 2, 1)]


def test_offers_are_deleted_with_their_text_or_labeller(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        labeller = store_consenting_person(unit, LABELLER)
        store_text(unit, store_review, "A fine play", 0.6)
        queued = next_text(unit, labeller, RULES)
        assert queued is not None
        label_offers.offer_text(unit, labeller, queued)
        label_offers.offer_gold(unit, labeller, "I loved it.", "Positive")
        erase(unit, AUTHOR)
        assert label_offers.count_offers(unit, labeller) == 1
        erase(unit, LABELLER)
        assert label_offers.count_offers(unit, labeller) == 0
