"""Which judgements count, and what a training run is given of them."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from cli.corrections.export import vote_rows
from storage.chat.people import upsert_person
from storage.db.column_types import utc_now
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent, RunKind, RunState, SnapshotPart, Trigger, Vote
from storage.db.tables import MessagePartRow, MessageRow, PredictionRow, SnapshotRow, VoteRow
from storage.errors import LeaseLost
from storage.feedback.consensus import ConsensusState
from storage.feedback.eligibility import EligibilityRules, eligible_texts, voted_texts
from storage.feedback.votes import record_vote
from storage.models.registry import register
from storage.privacy.consent import record_consent
from storage.privacy.erasure import erase
from storage.training import runs
from storage.training.runs import Lease
from storage.training.snapshots import (
    LabelledText,
    Snapshot,
    count_new_eligible,
    create_snapshot,
    held_out_before,
    labelled_texts,
    versions_that_saw,
)

StoreReview = Callable[..., Any]
RULES = EligibilityRules(quorum=2, person_rows=1_000, person_share=0.1, holdout=0.0)
HELD_OUT = EligibilityRules(quorum=2, person_rows=1_000, person_share=0.1, holdout=1.0)
ADMIN = 1
ADMINS = frozenset({ADMIN})
AUTHOR, SECOND, THIRD = 7, 8, 9


@pytest.fixture
def unit(database: Database) -> Iterator[UnitOfWork]:
    """A unit of work in which the author and two others consented."""
    with database.unit_of_work() as opened:
        for telegram_id in (AUTHOR, SECOND, THIRD):
            say_yes(opened, telegram_id)
        yield opened


def say_yes(unit: UnitOfWork, telegram_id: int) -> int:
    person = upsert_person(unit, telegram_id, f"Person {telegram_id}", "en")
    record_consent(unit, person.id, Consent.GRANTED, "1")
    return person.id


def withdraw(unit: UnitOfWork, telegram_id: int) -> None:
    record_consent(unit, upsert_person(unit, telegram_id, "Someone", "en").id, Consent.WITHDRAWN, "1")


def vote(unit: UnitOfWork, prediction_id: int, telegram_id: int, verdict: Vote = Vote.RIGHT) -> None:
    record_vote(unit, upsert_person(unit, telegram_id, "Someone", "en").id, prediction_id, verdict)


def agreed(unit: UnitOfWork, store_review: StoreReview, text: str, label: str = "Positive") -> Any:
    """A text that its author and another call what it was predicted to be."""
    review = store_review(unit, text, telegram_id=AUTHOR, label=label)
    vote(unit, review.prediction_id, AUTHOR)
    vote(unit, review.prediction_id, SECOND)
    return review


def start(unit: UnitOfWork) -> Lease:
    run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run
    lease = runs.claim(unit, run.id, "a worker")
    assert lease is not None
    return lease


def finish(unit: UnitOfWork, lease: Lease) -> None:
    runs.finish(unit, lease, RunState.HELD)


def ran(unit: UnitOfWork, rules: EligibilityRules = RULES) -> int:
    """One run, begun and ended; its id."""
    lease = start(unit)
    create_snapshot(unit, lease, rules, ADMINS, "one")
    finish(unit, lease)
    return lease.run.id


def states(unit: UnitOfWork) -> list[ConsensusState]:
    return [text.consensus.state for text in voted_texts(unit, RULES.quorum, ADMINS)]


R, W, N = Vote.RIGHT, Vote.WRONG, Vote.NEITHER


@pytest.mark.parametrize(
    ("votes", "state"),
    [
        ({AUTHOR: R}, ConsensusState.WAITING),
        ({AUTHOR: R, SECOND: R}, ConsensusState.USABLE),
        ({SECOND: W, THIRD: W}, ConsensusState.USABLE),
        ({AUTHOR: R, SECOND: W}, ConsensusState.QUARANTINED),
        ({AUTHOR: R, SECOND: R, THIRD: W}, ConsensusState.QUARANTINED),
        ({AUTHOR: R, SECOND: N}, ConsensusState.QUARANTINED),
        ({AUTHOR: N, SECOND: N}, ConsensusState.SETTLED),
        ({ADMIN: R}, ConsensusState.USABLE),
        ({ADMIN: N}, ConsensusState.SETTLED),
        ({AUTHOR: R, SECOND: W, ADMIN: W}, ConsensusState.USABLE),
        ({AUTHOR: R, SECOND: R, ADMIN: N}, ConsensusState.SETTLED),
    ],
)
def test_votes_decide_what_a_text_is_good_for(
    unit: UnitOfWork, store_review: StoreReview, votes: dict[int, Vote], state: ConsensusState
) -> None:
    review = store_review(unit, "I liked it", telegram_id=AUTHOR)
    for telegram_id, verdict in votes.items():
        vote(unit, review.prediction_id, telegram_id, verdict)
    assert states(unit) == [state]
    labels = [text.label for text in eligible_texts(unit, RULES.quorum, ADMINS)]
    expected = "Negative" if W in (votes.get(ADMIN), votes.get(THIRD)) else "Positive"
    assert labels == ([expected] if state is ConsensusState.USABLE else [])


def test_a_text_counts_only_while_its_author_consents(unit: UnitOfWork, store_review: StoreReview) -> None:
    agreed(unit, store_review, "I liked it")
    assert states(unit) == [ConsensusState.USABLE]
    withdraw(unit, AUTHOR)
    assert states(unit) == []
    say_yes(unit, AUTHOR)
    assert states(unit) == [ConsensusState.USABLE]


def test_a_vote_counts_only_while_its_voter_consents(unit: UnitOfWork, store_review: StoreReview) -> None:
    agreed(unit, store_review, "I liked it")
    vote(unit, store_review(unit, "I liked it", telegram_id=AUTHOR).prediction_id, 10, Vote.WRONG)
    assert states(unit) == [ConsensusState.USABLE], "somebody who was never asked says otherwise"
    withdraw(unit, SECOND)
    assert states(unit) == [ConsensusState.WAITING]


def test_an_admin_who_withdrew_decides_nothing(unit: UnitOfWork, store_review: StoreReview) -> None:
    review = store_review(unit, "I liked it", telegram_id=AUTHOR)
    vote(unit, review.prediction_id, AUTHOR)
    vote(unit, review.prediction_id, ADMIN, Vote.WRONG)
    assert states(unit) == [ConsensusState.USABLE]
    withdraw(unit, ADMIN)
    assert states(unit) == [ConsensusState.WAITING]


def test_equal_texts_count_as_one_and_belong_to_the_first_who_consents(
    unit: UnitOfWork, store_review: StoreReview
) -> None:
    hidden = store_review(unit, "I liked it", telegram_id=10)
    vote(unit, hidden.prediction_id, SECOND)
    shown = store_review(unit, "I liked it", telegram_id=AUTHOR)
    vote(unit, shown.prediction_id, AUTHOR)
    (text,) = eligible_texts(unit, RULES.quorum, ADMINS)
    assert (text.voted.message_id, text.voted.author_id) == (shown.message_id, shown.person_id)
    assert len(text.supporters) == 2


def test_a_snapshot_gives_the_texts_and_their_labels(unit: UnitOfWork, store_review: StoreReview) -> None:
    agreed(unit, store_review, "I liked it")
    agreed(unit, store_review, "I did not like it", label="Negative")
    vote(unit, store_review(unit, "Only one says so", telegram_id=AUTHOR).prediction_id, AUTHOR)
    lease = start(unit)
    assert create_snapshot(unit, lease, RULES, ADMINS, "one") == Snapshot(train=2, held_out=0)
    assert labelled_texts(unit, lease.run.id, SnapshotPart.TRAIN) == [
        LabelledText("I liked it", "Positive"),
        LabelledText("I did not like it", "Negative"),
    ]
    assert labelled_texts(unit, lease.run.id, SnapshotPart.HELD_OUT) == []
    assert runs.get_run(unit, lease.run.id).champion == "one"


def test_a_run_that_is_taken_up_again_keeps_its_snapshot(unit: UnitOfWork, store_review: StoreReview) -> None:
    agreed(unit, store_review, "I liked it")
    lease = start(unit)
    create_snapshot(unit, lease, RULES, ADMINS, "one")
    agreed(unit, store_review, "I liked it too")
    again = Lease(runs.get_run(unit, lease.run.id), lease.token)
    assert create_snapshot(unit, again, RULES, ADMINS, "two") == Snapshot(train=1, held_out=0)
    assert runs.get_run(unit, lease.run.id).champion == "one"


def test_a_worker_that_lost_its_lease_writes_no_snapshot(unit: UnitOfWork, store_review: StoreReview) -> None:
    agreed(unit, store_review, "I liked it")
    lease = start(unit)
    with pytest.raises(LeaseLost):
        create_snapshot(unit, Lease(lease.run, lease.token - 1), RULES, ADMINS, "one")
    assert unit.scalars(select(SnapshotRow)).all() == []


def test_what_was_held_out_never_trains_and_what_trained_never_measures(
    unit: UnitOfWork, store_review: StoreReview
) -> None:
    agreed(unit, store_review, "This one measured")
    first = ran(unit, HELD_OUT)
    agreed(unit, store_review, "This one trained")
    ran(unit, RULES)
    agreed(unit, store_review, "This one is new")
    last = ran(unit, HELD_OUT)
    assert labelled_texts(unit, first, SnapshotPart.HELD_OUT) == [LabelledText("This one measured", "Positive")]
    assert held_out_before(unit, first) == []
    assert labelled_texts(unit, last, SnapshotPart.TRAIN) == [LabelledText("This one trained", "Positive")]
    assert labelled_texts(unit, last, SnapshotPart.HELD_OUT) == [LabelledText("This one is new", "Positive")]
    assert held_out_before(unit, last) == [LabelledText("This one measured", "Positive")]


def test_a_text_that_is_quarantined_or_withdrawn_measures_no_more(unit: UnitOfWork, store_review: StoreReview) -> None:
    review = agreed(unit, store_review, "I liked it")
    agreed(unit, store_review, "I liked it too")
    ran(unit, HELD_OUT)
    vote(unit, review.prediction_id, THIRD, Vote.WRONG)
    assert held_out_before(unit, ran(unit, HELD_OUT)) == [LabelledText("I liked it too", "Positive")]
    withdraw(unit, AUTHOR)
    assert held_out_before(unit, ran(unit, HELD_OUT)) == []


def test_texts_of_one_person_and_minute_stay_together(unit: UnitOfWork, store_review: StoreReview) -> None:
    half = EligibilityRules(quorum=2, person_rows=1_000, person_share=0.1, holdout=0.5)
    start_of_day = datetime.fromisoformat("2026-03-01T08:00:00+00:00")
    for minute, number in itertools.product(range(40), range(3)):
        review = agreed(unit, store_review, f"Number {number} of minute {minute}")
        written = start_of_day + timedelta(minutes=minute, seconds=10 * number)
        unit.change(update(MessageRow).where(MessageRow.id == review.message_id).values(created_at=written))
    lease = start(unit)
    snapshot = create_snapshot(unit, lease, half, ADMINS, "one")
    assert snapshot.train + snapshot.held_out == 120
    assert 0.2 < snapshot.held_out / 120 < 0.8
    for part in SnapshotPart:
        texts = labelled_texts(unit, lease.run.id, part)
        minutes = [row.text.partition("minute ")[2] for row in texts]
        assert all(minutes.count(minute) == 3 for minute in minutes)


def test_nobody_but_an_admin_supplies_too_much(unit: UnitOfWork, store_review: StoreReview) -> None:
    tight = EligibilityRules(quorum=1, person_rows=3, person_share=0.1, holdout=0.0)
    for number in range(5):
        vote(unit, store_review(unit, f"Of the author, {number}", telegram_id=AUTHOR).prediction_id, AUTHOR)
        vote(unit, store_review(unit, f"An admin's word, {number}", telegram_id=SECOND).prediction_id, ADMIN)
    lease = start(unit)
    assert create_snapshot(unit, lease, tight, ADMINS, "one") == Snapshot(train=8, held_out=0)
    texts = [row.text for row in labelled_texts(unit, lease.run.id, SnapshotPart.TRAIN)]
    assert [text for text in texts if "author" in text] == [f"Of the author, {number}" for number in range(3)]


def test_texts_that_wait_for_their_quota_are_not_new(unit: UnitOfWork, store_review: StoreReview) -> None:
    tight = EligibilityRules(quorum=1, person_rows=3, person_share=0.1, holdout=0.0)
    for number in range(5):
        vote(unit, store_review(unit, f"Of the author, {number}", telegram_id=AUTHOR).prediction_id, AUTHOR)
    assert count_new_eligible(unit, tight, ADMINS) == 3
    ran(unit, tight)
    assert count_new_eligible(unit, tight, ADMINS) == 0
    review = store_review(unit, "Of another", telegram_id=SECOND)
    vote(unit, review.prediction_id, SECOND)
    assert count_new_eligible(unit, tight, ADMINS) == 1
    ran(unit, tight)
    vote(unit, review.prediction_id, ADMIN, Vote.WRONG)
    assert count_new_eligible(unit, tight, ADMINS) == 1, "it has another label now"


def test_a_run_misses_a_text_that_went_or_whose_consent_ended(unit: UnitOfWork, store_review: StoreReview) -> None:
    agreed(unit, store_review, "I liked it")
    vote(unit, store_review(unit, "Mine", telegram_id=THIRD).prediction_id, ADMIN)
    lease = start(unit)
    assert create_snapshot(unit, lease, RULES, ADMINS, "one").train == 2
    withdraw(unit, THIRD)
    assert labelled_texts(unit, lease.run.id, SnapshotPart.TRAIN) == [LabelledText("I liked it", "Positive")]
    erase(unit, AUTHOR)
    assert labelled_texts(unit, lease.run.id, SnapshotPart.TRAIN) == []
    rows = unit.execute(select(SnapshotRow.message_id, SnapshotRow.author_id, SnapshotRow.label)).all()
    assert (None, None, "Positive") in [tuple(row) for row in rows]


def test_nobody_deletes_a_text_while_a_snapshot_is_taken(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        for telegram_id in (AUTHOR, SECOND):
            say_yes(unit, telegram_id)
        agreed(unit, store_review, "I liked it")
    deleted = threading.Event()

    def delete() -> None:
        with database.unit_of_work() as other:
            erase(other, AUTHOR)
        deleted.set()

    deleting = threading.Thread(target=delete)
    with database.unit_of_work() as unit:
        lease = start(unit)
        create_snapshot(unit, lease, RULES, ADMINS, "one")
        deleting.start()
        assert not deleted.wait(0.3), "the deletion waits for the snapshot"
        assert labelled_texts(unit, lease.run.id, SnapshotPart.TRAIN) == [LabelledText("I liked it", "Positive")]
    deleting.join()
    with database.reading() as unit:
        assert labelled_texts(unit, lease.run.id, SnapshotPart.TRAIN) == []


def test_versions_name_whom_they_saw(unit: UnitOfWork, store_review: StoreReview) -> None:
    review = agreed(unit, store_review, "I liked it")
    register(unit, "two", "0" * 64, "models/two", run_id=ran(unit))
    register(unit, "three", "0" * 64, "models/three", run_id=ran(unit))
    third = say_yes(unit, THIRD)
    vote(unit, review.prediction_id, THIRD)
    author, second = review.person_id, upsert_person(unit, SECOND, "Grace", "en").id
    assert versions_that_saw(unit, author) == versions_that_saw(unit, second) == ["two", "three"]
    assert versions_that_saw(unit, third) == [], "the vote came after both"


def test_ten_thousand_judgements_are_a_snapshot_in_about_a_second(unit: UnitOfWork, store_review: StoreReview) -> None:
    people = [say_yes(unit, 100 + number) for number in range(40)]
    store_review(unit, "Makes the model version known")
    words = utc_now()
    texts = range(5_000)
    messages = [
        {"person_id": people[n % 40], "bot_id": 900, "chat_id": 1, "created_at": words + timedelta(minutes=n % 600)}
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
    said = {"version": "one", "label": "Positive", "confidence": 0.9, "sure": True, "windows": 1}
    unit.execute(insert(PredictionRow), [{**said, "message_id": m, "logit_0": -1.0, "logit_1": 1.0} for m in ids])
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
    lease = start(unit)
    began = time.perf_counter()
    snapshot = create_snapshot(unit, lease, EligibilityRules(2, 20, 0.1, 0.25), ADMINS, "one")
    took = time.perf_counter() - began
    assert snapshot.train + snapshot.held_out == 5_000
    assert len(labelled_texts(unit, lease.run.id, SnapshotPart.TRAIN)) == snapshot.train
    chunks = [len(rows) for rows in vote_rows(unit, 2, ADMINS, usable_only=False)]
    assert sum(chunks) == 10_000
    assert max(chunks) == 1_000, "an export never holds more"
    assert took < 3, "half a second on two cores that nobody else uses"
