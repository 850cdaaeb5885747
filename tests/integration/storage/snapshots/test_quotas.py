"""Quotas limit how much of a snapshot comes from one person."""

from storage.db.database import UnitOfWork
from storage.db.states import SnapshotPart, Vote
from storage.feedback.eligibility import EligibilityRules
from storage.training import runs
from storage.training.snapshots import (
    Snapshot,
    SnapshotPreview,
    count_new_eligible,
    create_snapshot,
    labelled_texts,
    preview,
    waiting_for_quota,
)
from tests.agreed_texts import ADMIN, ADMINS, AUTHOR, SECOND, StoreReview, complete_run, consent, start_run, vote


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
