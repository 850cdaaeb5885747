"""Texts on which people agreed, and training runs that take snapshots of them."""

from collections.abc import Callable
from typing import Any

from core.labelled_text import LabelledText
from storage.chat.people import upsert_person
from storage.db.database import UnitOfWork
from storage.db.states import Consent, RunKind, RunState, Trigger, Vote
from storage.feedback.consensus import ConsensusState
from storage.feedback.eligibility import EligibilityRules, voted_texts
from storage.feedback.votes import record_vote
from storage.privacy.consent import record_consent
from storage.training import runs
from storage.training.runs import Lease
from storage.training.snapshots import create_snapshot

StoreReview = Callable[..., Any]
RULES = EligibilityRules(quorum=2, person_rows=1_000, person_share=0.1)
ADMIN = 1
ADMINS = frozenset({ADMIN})
AUTHOR, SECOND, THIRD = 7, 8, 9


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
