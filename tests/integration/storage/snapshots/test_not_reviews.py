"""Texts that people say are not reviews, and which of them a run's review head is fitted on."""

import pytest

from storage.chat.people import upsert_person
from storage.db.database import UnitOfWork
from storage.db.states import Reason, SnapshotPart, Vote
from storage.feedback.consensus import NEITHER
from storage.feedback.eligibility import EligibilityRules, learnable_texts
from storage.feedback.votes import record_reason
from storage.models.registry import register
from storage.training.snapshots import labelled_texts, preview, snapshot_of, versions_that_saw
from tests.agreed_texts import (
    ADMIN,
    ADMINS,
    AUTHOR,
    RULES,
    SECOND,
    THIRD,
    StoreReview,
    complete_run,
    vote,
    withdraw,
)

LINE = "The plumber comes on Monday"


def vote_neither(unit: UnitOfWork, prediction_id: int, reasons: dict[int, Reason | None]) -> None:
    """Record a vote for neither label by each person, with the person's reason, if any."""
    for telegram_id, reason in reasons.items():
        vote(unit, prediction_id, telegram_id, Vote.NEITHER)
        if reason is not None:
            record_reason(unit, upsert_person(unit, telegram_id, "Someone", "en").id, prediction_id, reason)


NO, BOTH, OTHER = Reason.NOT_REVIEW, Reason.BOTH, Reason.OTHER


@pytest.mark.parametrize(
    ("reasons", "learnt"),
    [
        ({AUTHOR: NO, SECOND: NO}, True),
        ({AUTHOR: NO, SECOND: None}, True),
        ({AUTHOR: None, SECOND: None}, False),
        ({AUTHOR: BOTH, SECOND: BOTH}, False),
        ({AUTHOR: NO, SECOND: BOTH}, False),
        ({AUTHOR: NO}, False),
        ({ADMIN: NO}, True),
        ({AUTHOR: BOTH, SECOND: OTHER, ADMIN: NO}, True),
        ({AUTHOR: NO, SECOND: NO, ADMIN: BOTH}, False),
        ({AUTHOR: NO, SECOND: NO, ADMIN: None}, False),
    ],
)
def test_a_text_is_learnt_if_people_agree_that_it_is_not_a_review(
    unit: UnitOfWork, store_review: StoreReview, reasons: dict[int, Reason | None], learnt: bool
) -> None:
    vote_neither(unit, store_review(unit, LINE, telegram_id=AUTHOR).prediction_id, reasons)
    found = learnable_texts(unit, RULES.quorum, ADMINS)
    assert [text.label for text in found.not_reviews] == [NEITHER] * learnt
    assert found.labelled == []


def test_such_texts_are_in_the_snapshot_but_neither_train_nor_measure_verdicts(
    unit: UnitOfWork, store_review: StoreReview
) -> None:
    vote_neither(unit, store_review(unit, LINE, telegram_id=AUTHOR).prediction_id, {AUTHOR: NO, SECOND: NO})
    run_id = complete_run(unit)
    assert [text.text for text in labelled_texts(unit, run_id, SnapshotPart.NOT_REVIEW)] == [LINE]
    assert labelled_texts(unit, run_id, SnapshotPart.TRAIN) == labelled_texts(unit, run_id, SnapshotPart.MEASURE) == []
    assert (snapshot_of(unit, run_id).train, preview(unit, RULES, ADMINS).usable) == (0, 0)


def test_a_text_is_left_out_once_its_author_withdraws(unit: UnitOfWork, store_review: StoreReview) -> None:
    vote_neither(unit, store_review(unit, LINE, telegram_id=AUTHOR).prediction_id, {AUTHOR: NO, SECOND: NO})
    run_id = complete_run(unit)
    withdraw(unit, AUTHOR)
    assert labelled_texts(unit, run_id, SnapshotPart.NOT_REVIEW) == []


def test_nobody_supplies_more_than_their_quota(unit: UnitOfWork, store_review: StoreReview) -> None:
    for number in range(6):
        review = store_review(unit, f"{LINE}, number {number}", telegram_id=AUTHOR)
        vote_neither(unit, review.prediction_id, {AUTHOR: NO, SECOND: NO})
    run_id = complete_run(unit, EligibilityRules(quorum=2, person_rows=2, person_share=0.1))
    assert len(labelled_texts(unit, run_id, SnapshotPart.NOT_REVIEW)) == 2


def test_people_hear_which_versions_learnt_from_such_texts(unit: UnitOfWork, store_review: StoreReview) -> None:
    vote_neither(unit, store_review(unit, LINE, telegram_id=AUTHOR).prediction_id, {AUTHOR: NO, SECOND: NO})
    run_id = complete_run(unit)
    register(unit, "two", "0" * 64, "somewhere", run_id)
    people = [upsert_person(unit, telegram_id, "Someone", "en").id for telegram_id in (AUTHOR, SECOND, THIRD)]
    assert [versions_that_saw(unit, person) for person in people] == [["two"], ["two"], []]
