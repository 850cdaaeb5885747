"""Deleted and withdrawn texts disappear from snapshots, and a person's data can be traced to models."""

import threading

from sqlalchemy import select

from storage.chat.people import upsert_person
from storage.db.database import Database, UnitOfWork
from storage.db.states import SnapshotPart, Vote
from storage.db.tables import SnapshotRow
from storage.models.registry import register
from storage.privacy.erasure import erase
from storage.training.snapshots import create_snapshot, labelled_texts, trained_before, versions_that_saw
from tests.agreed_texts import (
    ADMIN,
    ADMINS,
    AUTHOR,
    RULES,
    SECOND,
    THIRD,
    StoreReview,
    complete_run,
    consent,
    labels,
    start_run,
    store_agreed,
    vote,
    withdraw,
)


def test_quarantined_and_withdrawn_texts_are_no_longer_used(unit: UnitOfWork, store_review: StoreReview) -> None:
    review = store_agreed(unit, store_review, "I liked it")
    store_agreed(unit, store_review, "I liked it too")
    first = complete_run(unit)
    vote(unit, review.prediction_id, THIRD, Vote.WRONG)
    second = complete_run(unit)
    assert labels(labelled_texts(unit, second, SnapshotPart.TRAIN)) == [("I liked it too", "Positive")]
    assert len(trained_before(unit, second, first)) == 1
    withdraw(unit, AUTHOR)
    third = complete_run(unit)
    assert labelled_texts(unit, third, SnapshotPart.TRAIN) == []
    assert trained_before(unit, third, first) == []


def test_a_run_leaves_out_texts_that_were_deleted_or_withdrawn(unit: UnitOfWork, store_review: StoreReview) -> None:
    store_agreed(unit, store_review, "I liked it")
    vote(unit, store_review(unit, "Mine", telegram_id=THIRD).prediction_id, ADMIN)
    lease = start_run(unit)
    assert create_snapshot(unit, lease, RULES, ADMINS, "one").train == 2
    withdraw(unit, THIRD)
    assert labels(labelled_texts(unit, lease.run.id, SnapshotPart.TRAIN)) == [("I liked it", "Positive")]
    erase(unit, AUTHOR)
    assert labelled_texts(unit, lease.run.id, SnapshotPart.TRAIN) == []
    rows = unit.execute(select(SnapshotRow.message_id, SnapshotRow.author_id, SnapshotRow.label)).all()
    assert (None, None, "Positive") in [tuple(row) for row in rows]


def test_no_text_is_deleted_while_a_snapshot_is_taken(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        for telegram_id in (AUTHOR, SECOND):
            consent(unit, telegram_id)
        store_agreed(unit, store_review, "I liked it")
    deleted = threading.Event()

    def delete() -> None:
        with database.unit_of_work() as other:
            erase(other, AUTHOR)
        deleted.set()

    deletion = threading.Thread(target=delete)
    with database.unit_of_work() as unit:
        lease = start_run(unit)
        create_snapshot(unit, lease, RULES, ADMINS, "one")
        deletion.start()
        assert not deleted.wait(0.3), "the deletion waits for the snapshot"
        assert labels(labelled_texts(unit, lease.run.id, SnapshotPart.TRAIN)) == [("I liked it", "Positive")]
    deletion.join()
    with database.reading() as unit:
        assert labelled_texts(unit, lease.run.id, SnapshotPart.TRAIN) == []


def test_versions_that_saw_a_person_s_data(unit: UnitOfWork, store_review: StoreReview) -> None:
    review = store_agreed(unit, store_review, "I liked it")
    register(unit, "two", "0" * 64, "models/two", run_id=complete_run(unit))
    register(unit, "three", "0" * 64, "models/three", run_id=complete_run(unit))
    third = consent(unit, THIRD)
    vote(unit, review.prediction_id, THIRD)
    author, second = review.person_id, upsert_person(unit, SECOND, "Grace", "en").id
    assert versions_that_saw(unit, author) == versions_that_saw(unit, second) == ["two", "three"]
    assert versions_that_saw(unit, third) == [], "the vote came after both"
