"""Which votes count, and the snapshots that training runs take."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from bot.sending.votes_table import vote_rows
from core.labelled_text import LabelledText
from storage.chat.people import upsert_person
from storage.db.column_types import utc_now
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent, RunKind, RunState, SnapshotPart, Trigger, Vote
from storage.db.tables import MessagePartRow, MessageRow, PredictionRow, SnapshotRow, VoteRow
from storage.errors import LeaseLost
from storage.feedback.consensus import ConsensusState
from storage.feedback.eligibility import IMPORT_BOT_ID, EligibilityRules, eligible_texts, voted_texts
from storage.feedback.votes import record_vote
from storage.models.registry import register
from storage.privacy.consent import record_consent
from storage.privacy.erasure import erase
from storage.training import runs
from storage.training.runs import Lease
from storage.training.snapshots import (
    Snapshot,
    SnapshotPreview,
    count_new_eligible,
    create_snapshot,
    labelled_texts,
    preview,
    trained_before,
    versions_that_saw,
    waiting_for_quota,
)

StoreReview = Callable[..., Any]
RULES = EligibilityRules(quorum=2, person_rows=1_000, person_share=0.1)
ADMIN = 1
ADMINS = frozenset({ADMIN})
AUTHOR, SECOND, THIRD = 7, 8, 9


@pytest.fixture
def unit(database: Database) -> Iterator[UnitOfWork]:
    """A unit of work in which the author and two other people have consented."""
    with database.unit_of_work() as opened:
        for telegram_id in (AUTHOR, SECOND, THIRD):
            consent(opened, telegram_id)
        yield opened


def labels(texts: list[LabelledText]) -> list[tuple[str, str]]:
    return [(row.text, row.label) for row in texts]


def consent(unit: UnitOfWork, telegram_id: int) -> int:
    person = upsert_person(unit, telegram_id, f"Person {telegram_id}", "en")
    record_consent(unit, person.id, Consent.GRANTED, "1")
    return person.id


def withdraw(unit: UnitOfWork, telegram_id: int) -> None:
    record_consent(unit, upsert_person(unit, telegram_id, "Someone", "en").id, Consent.WITHDRAWN, "1")


def vote(unit: UnitOfWork, prediction_id: int, telegram_id: int, choice: Vote = Vote.RIGHT) -> None:
    record_vote(unit, upsert_person(unit, telegram_id, "Someone", "en").id, prediction_id, choice)


def store_agreed(unit: UnitOfWork, store_review: StoreReview, text: str, label: str = "Positive") -> Any:
    """Store a text on which its author and a second person both voted that the prediction is right."""
    review = store_review(unit, text, telegram_id=AUTHOR, label=label)
    vote(unit, review.prediction_id, AUTHOR)
    vote(unit, review.prediction_id, SECOND)
    return review


def start_run(unit: UnitOfWork) -> Lease:
    run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run
    lease = runs.claim(unit, run.id, "a worker")
    assert lease is not None
    return lease


def finish_run(unit: UnitOfWork, lease: Lease) -> None:
    runs.finish(unit, lease, RunState.HELD)


def complete_run(unit: UnitOfWork, rules: EligibilityRules = RULES) -> int:
    """Start and finish a run, and return its id."""
    lease = start_run(unit)
    create_snapshot(unit, lease, rules, ADMINS, "one")
    finish_run(unit, lease)
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
def test_the_votes_on_a_text_determine_its_state(
    unit: UnitOfWork, store_review: StoreReview, votes: dict[int, Vote], state: ConsensusState
) -> None:
    review = store_review(unit, "I liked it", telegram_id=AUTHOR)
    for telegram_id, choice in votes.items():
        vote(unit, review.prediction_id, telegram_id, choice)
    assert states(unit) == [state]
    labels = [text.label for text in eligible_texts(unit, RULES.quorum, ADMINS)]
    expected = "Negative" if W in (votes.get(ADMIN), votes.get(THIRD)) else "Positive"
    assert labels == ([expected] if state is ConsensusState.USABLE else [])


def test_a_text_counts_only_while_its_author_consents(unit: UnitOfWork, store_review: StoreReview) -> None:
    store_agreed(unit, store_review, "I liked it")
    assert states(unit) == [ConsensusState.USABLE]
    withdraw(unit, AUTHOR)
    assert states(unit) == []
    consent(unit, AUTHOR)
    assert states(unit) == [ConsensusState.USABLE]


def test_a_vote_counts_only_while_its_voter_consents(unit: UnitOfWork, store_review: StoreReview) -> None:
    store_agreed(unit, store_review, "I liked it")
    vote(unit, store_review(unit, "I liked it", telegram_id=AUTHOR).prediction_id, 10, Vote.WRONG)
    assert states(unit) == [ConsensusState.USABLE], "a person who was never asked for consent disagrees"
    withdraw(unit, SECOND)
    assert states(unit) == [ConsensusState.WAITING]


def test_an_admin_who_withdrew_decides_nothing(unit: UnitOfWork, store_review: StoreReview) -> None:
    review = store_review(unit, "I liked it", telegram_id=AUTHOR)
    vote(unit, review.prediction_id, AUTHOR)
    vote(unit, review.prediction_id, ADMIN, Vote.WRONG)
    assert states(unit) == [ConsensusState.USABLE]
    withdraw(unit, ADMIN)
    assert states(unit) == [ConsensusState.WAITING]


def test_equal_texts_count_as_one_and_belong_to_the_first_consenting_author(
    unit: UnitOfWork, store_review: StoreReview
) -> None:
    hidden = store_review(unit, "I liked it", telegram_id=10)
    vote(unit, hidden.prediction_id, SECOND)
    shown = store_review(unit, "I liked it", telegram_id=AUTHOR)
    vote(unit, shown.prediction_id, AUTHOR)
    (text,) = eligible_texts(unit, RULES.quorum, ADMINS)
    assert (text.voted.message_id, text.voted.author_id) == (shown.message_id, shown.person_id)
    assert len(text.supporters) == 2


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


def test_quotas_limit_everybody_but_admins(unit: UnitOfWork, store_review: StoreReview) -> None:
    tight = EligibilityRules(quorum=1, person_rows=3, person_share=0.1)
    for number in range(5):
        vote(unit, store_review(unit, f"Of the author, {number}", telegram_id=AUTHOR).prediction_id, AUTHOR)
        vote(unit, store_review(unit, f"Decided by an admin, {number}", telegram_id=SECOND).prediction_id, ADMIN)
    lease = start_run(unit)
    assert create_snapshot(unit, lease, tight, ADMINS, "one") == Snapshot(train=8, measure=2)
    texts = [row.text for row in labelled_texts(unit, lease.run.id, SnapshotPart.TRAIN)]
    assert [text for text in texts if "author" in text] == [f"Of the author, {number}" for number in range(3)]
    assert runs.get_run(unit, lease.run.id).over_quota == 2
    assert preview(unit, tight, ADMINS) == SnapshotPreview(train=8, over_quota=2)
    waiting = {person: waiting_for_quota(unit, tight, ADMINS, consent(unit, person)) for person in (AUTHOR, SECOND)}
    assert waiting == {AUTHOR: 2, SECOND: 0}
    measured = [row.text for row in labelled_texts(unit, lease.run.id, SnapshotPart.MEASURE)]
    assert measured == ["Of the author, 3", "Of the author, 4"]


def test_texts_beyond_the_quota_are_not_counted_as_new(unit: UnitOfWork, store_review: StoreReview) -> None:
    tight = EligibilityRules(quorum=1, person_rows=3, person_share=0.1)
    for number in range(5):
        vote(unit, store_review(unit, f"Of the author, {number}", telegram_id=AUTHOR).prediction_id, AUTHOR)
    assert count_new_eligible(unit, tight, ADMINS) == 3
    complete_run(unit, tight)
    assert count_new_eligible(unit, tight, ADMINS) == 0
    review = store_review(unit, "Of another", telegram_id=SECOND)
    vote(unit, review.prediction_id, SECOND)
    assert count_new_eligible(unit, tight, ADMINS) == 1
    complete_run(unit, tight)
    vote(unit, review.prediction_id, ADMIN, Vote.WRONG)
    assert count_new_eligible(unit, tight, ADMINS) == 1, "it has another label now"


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
