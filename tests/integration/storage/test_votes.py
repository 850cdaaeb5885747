"""Each person has one vote per text."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from storage.chat.people import upsert_person
from storage.db.database import Database
from storage.db.states import Vote
from storage.db.tables import VoteRow
from storage.errors import UnknownPrediction
from storage.feedback.votes import record_vote, undo_vote, vote_of

StoreReview = Callable[..., Any]


@pytest.mark.parametrize(
    ("predicted", "vote", "label"),
    [
        ("Positive", Vote.RIGHT, "Positive"),
        ("Positive", Vote.WRONG, "Negative"),
        ("Negative", Vote.WRONG, "Positive"),
        ("Negative", Vote.NEITHER, None),
    ],
)
def test_a_vote_gives_the_correct_label(
    database: Database, store_review: StoreReview, predicted: str, vote: Vote, label: str | None
) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "I liked it", label=predicted)
        assert record_vote(unit, review.person_id, review.prediction_id, vote) is None
    with database.reading() as unit:
        stored = vote_of(unit, review.person_id, review.prediction_id)
    assert stored is not None
    assert (stored.vote, stored.label) == (vote, label)
    assert (stored.person_id, stored.prediction_id) == (review.person_id, review.prediction_id)
    assert stored.created_at.tzinfo is not None


def test_a_second_vote_replaces_the_first(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "I liked it")
        assert record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT) is None
    with database.unit_of_work() as unit:
        assert record_vote(unit, review.person_id, review.prediction_id, Vote.WRONG) is Vote.RIGHT
        assert record_vote(unit, review.person_id, review.prediction_id, Vote.WRONG) is Vote.WRONG
    with database.reading() as unit:
        assert unit.scalars(select(func.count()).select_from(VoteRow)).one() == 1
        stored = vote_of(unit, review.person_id, review.prediction_id)
    assert stored is not None
    assert (stored.vote, stored.label) == (Vote.WRONG, "Negative")


def test_a_vote_on_a_newer_prediction_of_the_same_text_replaces_the_old_one(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        old = store_review(unit, "I liked it", label="Negative")
        record_vote(unit, old.person_id, old.prediction_id, Vote.WRONG)
        new = store_review(unit, "I liked it", label="Positive", version="two")
        assert record_vote(unit, new.person_id, new.prediction_id, Vote.RIGHT) is Vote.WRONG
        under_old = vote_of(unit, old.person_id, old.prediction_id)
        assert under_old == vote_of(unit, new.person_id, new.prediction_id)
        assert under_old is not None
        assert (under_old.prediction_id, under_old.label) == (new.prediction_id, "Positive")


def test_each_person_and_each_text_has_a_separate_vote(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        mine = store_review(unit, "I liked it", telegram_id=7)
        other_text = store_review(unit, "I liked it!", telegram_id=7)
        theirs = store_review(unit, "I liked it", telegram_id=8)
        bystander = upsert_person(unit, 9, "Grace", "en")
        for person_id, review in [(mine.person_id, mine), (mine.person_id, other_text), (theirs.person_id, theirs)]:
            assert record_vote(unit, person_id, review.prediction_id, Vote.RIGHT) is None
        assert record_vote(unit, bystander.id, mine.prediction_id, Vote.WRONG) is None
        assert unit.scalars(select(func.count()).select_from(VoteRow)).one() == 4


def test_a_vote_can_be_undone(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "I liked it")
        assert undo_vote(unit, review.person_id, review.prediction_id) is None
        record_vote(unit, review.person_id, review.prediction_id, Vote.NEITHER)
    with database.unit_of_work() as unit:
        assert undo_vote(unit, review.person_id, review.prediction_id) is Vote.NEITHER
        assert vote_of(unit, review.person_id, review.prediction_id) is None
        assert record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT) is None


def test_a_deleted_prediction_cannot_be_voted_on(database: Database) -> None:
    with database.unit_of_work() as unit:
        person = upsert_person(unit, 7, "Ada", "en")
        with pytest.raises(UnknownPrediction, match="12345"):
            record_vote(unit, person.id, 12345, Vote.RIGHT)
        assert undo_vote(unit, person.id, 12345) is None
        assert vote_of(unit, person.id, 12345) is None
