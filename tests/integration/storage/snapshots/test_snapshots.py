"""The snapshots that training runs take."""

import itertools
import time
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from bot.sending.votes_table import vote_rows
from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import SnapshotPart, Vote
from storage.db.tables import MessagePartRow, MessageRow, PredictionRow, SnapshotRow, VoteRow
from storage.errors import LeaseLost
from storage.feedback.eligibility import IMPORT_BOT_ID, EligibilityRules
from storage.training import runs
from storage.training.runs import Lease
from storage.training.snapshots import Snapshot, create_snapshot, labelled_texts, trained_before
from tests.agreed_texts import (
    ADMINS,
    AUTHOR,
    RULES,
    StoreReview,
    complete_run,
    consent,
    labels,
    start_run,
    store_agreed,
    vote,
)


def test_a_snapshot_has_the_texts_and_their_labels(unit: UnitOfWork, store_review: StoreReview) -> None:
    liked = store_agreed(unit, store_review, "I liked it")
    disliked = store_agreed(unit, store_review, "I did not like it", label="Negative")
    vote(unit, store_review(unit, "Only one vote", telegram_id=AUTHOR).prediction_id, AUTHOR)
    lease = start_run(unit)
    assert create_snapshot(unit, lease, RULES, ADMINS, "one") == Snapshot(train=2, measure=0)
    texts = labelled_texts(unit, lease.run.id, SnapshotPart.TRAIN)
    assert labels(texts) == [("I liked it", "Positive"), ("I did not like it", "Negative")]
    assert [text.message_id for text in texts] == [liked.message_id, disliked.message_id]
    assert labelled_texts(unit, lease.run.id, SnapshotPart.MEASURE) == []
    assert runs.get_run(unit, lease.run.id).champion == "one"


def test_a_resumed_run_keeps_its_snapshot(unit: UnitOfWork, store_review: StoreReview) -> None:
    store_agreed(unit, store_review, "I liked it")
    lease = start_run(unit)
    create_snapshot(unit, lease, RULES, ADMINS, "one")
    store_agreed(unit, store_review, "I liked it too")
    again = Lease(runs.get_run(unit, lease.run.id), lease.token)
    assert create_snapshot(unit, again, RULES, ADMINS, "two") == Snapshot(train=1, measure=0)
    assert runs.get_run(unit, lease.run.id).champion == "one"


def test_a_worker_that_lost_its_lease_writes_no_snapshot(unit: UnitOfWork, store_review: StoreReview) -> None:
    store_agreed(unit, store_review, "I liked it")
    lease = start_run(unit)
    with pytest.raises(LeaseLost):
        create_snapshot(unit, Lease(lease.run, lease.token - 1), RULES, ADMINS, "one")
    assert unit.scalars(select(SnapshotRow)).all() == []


def test_every_round_trains_on_every_text_and_knows_which_an_earlier_one_used(
    unit: UnitOfWork, store_review: StoreReview
) -> None:
    first_text = store_agreed(unit, store_review, "This one is old")
    first = complete_run(unit)
    store_agreed(unit, store_review, "This one is new")
    second = complete_run(unit)
    texts = [("This one is old", "Positive"), ("This one is new", "Positive")]
    assert labels(labelled_texts(unit, second, SnapshotPart.TRAIN)) == texts
    assert trained_before(unit, second, first) == [first_text.message_id]
    nobody_trains = EligibilityRules(quorum=2, person_rows=0, person_share=0.0)
    third = complete_run(unit, nobody_trains)
    assert labels(labelled_texts(unit, third, SnapshotPart.MEASURE)) == texts
    assert trained_before(unit, complete_run(unit), third) == []


def test_texts_that_earlier_versions_held_out_are_trained_on(unit: UnitOfWork, store_review: StoreReview) -> None:
    store_agreed(unit, store_review, "I liked it")
    older = complete_run(unit)
    unit.change(update(SnapshotRow).values(part=SnapshotPart.MEASURE))
    newer = complete_run(unit)
    assert labels(labelled_texts(unit, older, SnapshotPart.MEASURE)) == [("I liked it", "Positive")]
    assert labels(labelled_texts(unit, newer, SnapshotPart.TRAIN)) == [("I liked it", "Positive")]
    assert trained_before(unit, newer, older) == []


def test_texts_of_one_person_and_minute_are_one_group(unit: UnitOfWork, store_review: StoreReview) -> None:
    start_of_day = datetime.fromisoformat("2026-03-01T08:00:00+00:00")
    for minute, number in itertools.product(range(3), range(3)):
        review = store_agreed(unit, store_review, f"Number {number} of minute {minute}")
        imported = {"bot_id": IMPORT_BOT_ID} if minute == 2 else {}
        written = start_of_day + timedelta(minutes=minute, seconds=10 * number)
        of_review = update(MessageRow).where(MessageRow.id == review.message_id)
        unit.change(of_review.values(created_at=written, **imported))
    groups: dict[str, set[str]] = {}
    for text in labelled_texts(unit, complete_run(unit), SnapshotPart.TRAIN):
        groups.setdefault(text.text.partition("minute ")[2], set()).add(text.group)
    assert [len(found) for _, found in sorted(groups.items())] == [1, 1, 3], "imported texts are separate"
    assert len(set.union(*groups.values())) == 5


def test_a_snapshot_of_ten_thousand_votes_takes_about_a_second(unit: UnitOfWork, store_review: StoreReview) -> None:
    people = [consent(unit, 100 + number) for number in range(40)]
    store_review(unit, "Registers the model version")
    now = utc_now()
    texts = range(5_000)
    messages = [
        {"person_id": people[n % 40], "bot_id": 900, "chat_id": 1, "created_at": now + timedelta(minutes=n % 600)}
        | {"text_hash": unit.cipher.fingerprint(f"Text {n}")}
        for n in texts
    ]
    unit.execute(insert(MessageRow), messages)
    ids = unit.scalars(select(MessageRow.id).where(MessageRow.chat_id == 1).order_by(MessageRow.id)).all()
    parts = [
        {"message_id": m, "position": 0, "telegram_message_id": n, "text": unit.cipher.encrypt(f"Text {n}")}
        for n, m in enumerate(ids)
    ]
    unit.execute(insert(MessagePartRow), parts)
    prediction = {"version": "one", "label": "Positive", "confidence": 0.9, "sure": True, "windows": 1}
    unit.execute(insert(PredictionRow), [{**prediction, "message_id": m, "logit_0": -1.0, "logit_1": 1.0} for m in ids])
    predictions = unit.scalars(
        select(PredictionRow.id).where(PredictionRow.message_id.in_(ids)).order_by(PredictionRow.id)
    )
    votes = [
        {"person_id": people[(n + offset) % 40], "prediction_id": p, "text_hash": messages[n]["text_hash"]}
        | {"verdict": Vote.RIGHT, "label": "Positive"}
        for n, p in enumerate(predictions)
        for offset in (0, 1)
    ]
    unit.execute(insert(VoteRow), votes)
    lease = start_run(unit)
    started = time.perf_counter()
    snapshot = create_snapshot(unit, lease, EligibilityRules(2, 20, 0.1), ADMINS, "one")
    seconds = time.perf_counter() - started
    assert snapshot.train + snapshot.measure == 5_000
    assert len(labelled_texts(unit, lease.run.id, SnapshotPart.TRAIN)) == snapshot.train
    chunks = [len(rows) for rows in vote_rows(unit, 2, ADMINS, usable_only=False)]
    assert sum(chunks) == 10_000
    assert max(chunks) == 1_000, "an export never holds more"
    assert seconds < 3, "it takes half a second on two idle cores"
