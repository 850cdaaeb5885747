"""Which text a labeller sees next, and what is kept of what they saw."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from storage.chat.messages import MessagePart, store_message
from storage.chat.people import upsert_person
from storage.db.column_types import utc_now
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent, OfferState, Vote
from storage.db.tables import OfferRow, PredictionRow
from storage.feedback import label_offers
from storage.feedback import votes as stored_votes
from storage.feedback.label_queue import LabelQueueRules, find_queued, next_text
from storage.privacy.consent import record_consent
from storage.privacy.erasure import erase

StoreReview = Callable[..., Any]
WORDING = "new"
ADMIN, AUTHOR, LABELLER, OTHER, THIRD, FOURTH = 1, 7, 8, 9, 11, 12
NEED = LabelQueueRules(quorum=2, admins=frozenset({ADMIN}), wording=WORDING)


def consenting(unit: UnitOfWork, telegram_id: int, wording: str = WORDING) -> int:
    person = upsert_person(unit, telegram_id, "Someone", "en")
    record_consent(unit, person.id, Consent.GRANTED, wording)
    return person.id


def written(unit: UnitOfWork, store_review: StoreReview, text: str, confidence: float, author: int = AUTHOR) -> Any:
    review = store_review(unit, text, telegram_id=author)
    given = update(PredictionRow).where(PredictionRow.id == review.prediction_id).values(confidence=confidence)
    unit.change(given)
    consenting(unit, author)
    return review


def judged(unit: UnitOfWork, review: Any, telegram_id: int, verdict: Vote = Vote.RIGHT) -> None:
    stored_votes.record_vote(unit, consenting(unit, telegram_id), review.prediction_id, verdict)


def shown(unit: UnitOfWork, telegram_id: int = LABELLER) -> int | None:
    """The prediction of the text that a person sees next."""
    found = next_text(unit, consenting(unit, telegram_id), NEED)
    return found.prediction_id if found else None


def test_a_text_with_a_vote_comes_before_an_uncertain_one_and_that_before_a_certain_one(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        labeller = consenting(unit, LABELLER)
        certain = written(unit, store_review, "Certain", 0.99)
        voted = written(unit, store_review, "Voted", 0.97)
        unsure = written(unit, store_review, "Unsure", 0.52)
        judged(unit, voted, AUTHOR)
        order = []
        while found := next_text(unit, labeller, NEED):
            order.append(found.prediction_id)
            label_offers.offer_text(unit, labeller, found)
        assert order == [voted.prediction_id, unsure.prediction_id, certain.prediction_id]


def test_nobody_sees_their_own_text_nor_one_that_they_judged_under_another_prediction(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        review = written(unit, store_review, "The same words", 0.6)
        assert shown(unit, AUTHOR) is None
        assert shown(unit, LABELLER) == review.prediction_id
        written(unit, store_review, "The same words", 0.6, author=OTHER)
        assert shown(unit, OTHER) is None
        judged(unit, review, LABELLER)
        assert shown(unit, LABELLER) is None


def test_the_word_of_an_admin_who_withdrew_decides_nothing(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        review = written(unit, store_review, "A text", 0.6)
        judged(unit, review, ADMIN)
        assert shown(unit) is None
        record_consent(unit, upsert_person(unit, ADMIN, "Ada", "en").id, Consent.WITHDRAWN, WORDING)
        assert shown(unit) == review.prediction_id


@pytest.mark.parametrize("consent", [None, (Consent.GRANTED, "old"), (Consent.WITHDRAWN, WORDING)])
def test_only_authors_who_let_others_read_their_texts_are_read(
    database: Database, store_review: StoreReview, consent: tuple[Consent, str] | None
) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "Not for everybody", telegram_id=AUTHOR)
        if consent is not None:
            consenting(unit, AUTHOR, "older")
            record_consent(unit, review.person_id, *consent)
        assert shown(unit) is None
        consenting(unit, AUTHOR)
        assert shown(unit) == review.prediction_id


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
def test_a_text_that_one_more_vote_does_not_help_is_not_shown(
    database: Database, store_review: StoreReview, votes: list[tuple[int, Vote]]
) -> None:
    with database.unit_of_work() as unit:
        review = written(unit, store_review, "A fine play", 0.6)
        for telegram_id, verdict in votes:
            judged(unit, review, telegram_id, verdict)
        assert shown(unit) is None


def test_a_vote_without_consent_does_not_count(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        review = written(unit, store_review, "A fine play", 0.6)
        for telegram_id in (11, 12):
            stored_votes.record_vote(
                unit, upsert_person(unit, telegram_id, "Shy", "en").id, review.prediction_id, Vote.WRONG
            )
        judged(unit, review, OTHER)
        assert shown(unit) == review.prediction_id


def test_a_text_that_was_edited_is_not_shown_any_more(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        review = written(unit, store_review, "A fine play", 0.6)
        store_message(unit, review.person_id, 900, AUTHOR, [MessagePart(77, "A bad play")], revises=review.message_id)
        assert shown(unit) is None


def offered(unit: UnitOfWork, telegram_id: int) -> None:
    """Show a person what comes next."""
    person_id = consenting(unit, telegram_id)
    waiting = next_text(unit, person_id, NEED)
    assert waiting is not None
    label_offers.offer_text(unit, person_id, waiting)


def test_who_comes_while_another_looks_at_the_last_vote_of_a_text_sees_the_next_one(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        voted = written(unit, store_review, "Voted", 0.97)
        judged(unit, voted, AUTHOR)
        unvoted = written(unit, store_review, "Not voted", 0.9)
        assert shown(unit, LABELLER) == voted.prediction_id
        offered(unit, LABELLER)
        assert shown(unit, LABELLER) == unvoted.prediction_id
        assert shown(unit, OTHER) == unvoted.prediction_id
        offered(unit, OTHER)
        assert shown(unit, THIRD) == unvoted.prediction_id, "it needs two votes, and one is looking at it"
        offered(unit, THIRD)
        assert shown(unit, FOURTH) is None


def test_a_text_that_somebody_looks_at_for_long_is_shown_to_others_again(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        review = written(unit, store_review, "Voted", 0.97)
        judged(unit, review, AUTHOR)
        offered(unit, LABELLER)
        assert shown(unit, OTHER) is None
        unit.change(update(OfferRow).values(created_at=utc_now() - timedelta(hours=1)))
        assert shown(unit, OTHER) == review.prediction_id


def test_what_was_skipped_is_not_shown_again_but_what_was_undone_is(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        labeller = consenting(unit, LABELLER)
        written(unit, store_review, "A fine play", 0.6)
        waiting = next_text(unit, labeller, NEED)
        assert waiting is not None
        number = label_offers.offer_text(unit, labeller, waiting)
        offer = label_offers.find_offer(unit, labeller, number)
        assert offer is not None
        assert offer.state is OfferState.SHOWN
        assert label_offers.last_closed_offer(unit, labeller) is None
        assert label_offers.close_offer(unit, offer, OfferState.SKIPPED)
        assert not label_offers.close_offer(unit, offer, OfferState.SKIPPED), "it is skipped already"
        assert next_text(unit, labeller, NEED) is None
        skipped = label_offers.last_closed_offer(unit, labeller)
        assert skipped is not None
        assert skipped.id == number
        assert label_offers.close_offer(unit, skipped, OfferState.UNDONE)
        assert find_queued(unit, labeller, NEED, waiting.text_hash) == waiting
        assert label_offers.offer_text(unit, labeller, waiting) == number
        assert label_offers.count_offers(unit, labeller) == 1
        label_offers.clear_shown(unit, labeller)
        assert next_text(unit, labeller, NEED) == waiting


def test_an_offer_is_only_found_by_the_person_that_it_was_made_to(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        labeller, other = consenting(unit, LABELLER), consenting(unit, OTHER)
        number = label_offers.offer_gold(unit, labeller, "I loved it.", "Positive")
        assert label_offers.find_offer(unit, labeller, number) is not None
        assert label_offers.find_offer(unit, other, number) is None


def test_answers_to_gold_questions_are_counted_and_are_no_judgements(database: Database) -> None:
    with database.unit_of_work() as unit:
        labeller = consenting(unit, LABELLER)
        for text, answer in (("I loved it.", "Positive"), ("I adored it.", "Negative"), ("I liked it.", None)):
            offer = label_offers.find_offer(unit, labeller, label_offers.offer_gold(unit, labeller, text, "Positive"))
            assert offer is not None
            state = OfferState.SKIPPED if answer is None else OfferState.ANSWERED
            label_offers.close_offer(unit, offer, state, answer)
        assert len(label_offers.offered_gold(unit, labeller)) == 3
        assert label_offers.gold_scores(unit) == [label_offers.GoldScore(labeller, 2, 1)]


def test_offers_go_with_the_text_and_with_the_labeller(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        labeller = consenting(unit, LABELLER)
        written(unit, store_review, "A fine play", 0.6)
        waiting = next_text(unit, labeller, NEED)
        assert waiting is not None
        label_offers.offer_text(unit, labeller, waiting)
        label_offers.offer_gold(unit, labeller, "I loved it.", "Positive")
        erase(unit, AUTHOR)
        assert label_offers.count_offers(unit, labeller) == 1
        erase(unit, LABELLER)
        assert label_offers.count_offers(unit, labeller) == 0
