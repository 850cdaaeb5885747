"""Stores rows about a person in every table, and counts rows."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.chat.inbox import fail, receive
from storage.chat.messages import MessagePart, store_message
from storage.chat.outbox import Draft, enqueue, mark_failed
from storage.chat.people import upsert_person
from storage.db.database import UnitOfWork
from storage.db.states import Consent, RunKind, RunState, TrialState, Trigger, Vote
from storage.db.tables import (
    Base,
    FollowerRow,
    InstanceRow,
    LearningPauseRow,
    LookRow,
    MessageRow,
    OfferRow,
    PausedLabellerRow,
    TrialRow,
    TrialTextRow,
)
from storage.feedback.eligibility import EligibilityRules
from storage.feedback.votes import record_vote
from storage.models.registry import make_live, register
from storage.privacy.consent import record_consent
from storage.training import runs
from storage.training.runs import claim, request_run
from storage.training.snapshots import create_snapshot

StoreReview = Callable[..., Any]
BOT = 900
SECRET = "Zanzibarquokka"


def counts(unit: Session) -> dict[str, int]:
    tables = Base.metadata.tables.values()
    return {table.name: unit.scalars(select(func.count()).select_from(table)).one() for table in tables}


def store_rows_in_every_table(unit: UnitOfWork, store_review: StoreReview, telegram_id: int) -> None:
    """Store rows about a person in every table, with ``SECRET`` wherever text is stored."""
    review = store_review(unit, f"{SECRET} is a good film, said {telegram_id}", telegram_id=telegram_id)
    person = upsert_person(unit, telegram_id, f"{SECRET} Smith", "en")
    old = store_message(
        unit, person.id, BOT, telegram_id, [MessagePart(1, SECRET), MessagePart(2, f"the {SECRET} end")]
    )
    store_message(unit, person.id, BOT, telegram_id, [MessagePart(1, f"{SECRET}, edited")], revises=old)
    record_vote(unit, person.id, review.prediction_id, Vote.WRONG)
    record_consent(unit, person.id, Consent.GRANTED, "1")
    receive(unit, BOT, telegram_id * 10, telegram_id, f'{{"text": "{SECRET}"}}')
    receive(unit, BOT, telegram_id * 10 + 1, telegram_id, f'{{"text": "{SECRET}"}}')
    fail(unit, BOT, telegram_id * 10 + 1, f"ValueError: {SECRET}")
    enqueue(unit, Draft(BOT, telegram_id, {"text": SECRET}, person.id, review.prediction_id))
    mark_failed(unit, enqueue(unit, Draft(BOT, telegram_id, {"text": SECRET})), SECRET)
    train_and_promote(unit, review, telegram_id)


def train_and_promote(unit: UnitOfWork, review: Any, telegram_id: int) -> None:
    """Store a run that the person requested and followed as an admin, the model it made live, and a label offer."""
    run_id = request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, telegram_id).run.id
    lease = claim(unit, run_id, "a worker")
    assert lease is not None
    create_snapshot(unit, lease, EligibilityRules(1, 20, 0.1), frozenset({telegram_id}), "one")
    unit.add(FollowerRow(run_id=run_id, bot_id=BOT, chat_id=telegram_id, reply_id=1, language="en"))
    runs.finish(unit, lease, RunState.PROMOTED)
    version = f"of {run_id}"
    register(unit, version, "0" * 64, "models/two", run_id=run_id)
    make_live(unit, version, "it is better", who=telegram_id)
    unit.execute(
        unit.insert(InstanceRow).values(process="1", bot_id=BOT, version=version).on_conflict_do_nothing(),
    )
    text_hash = unit.get_one(MessageRow, review.message_id).text_hash
    unit.add(OfferRow(person_id=review.person_id, text_hash=text_hash, prediction_id=review.prediction_id))
    trial = TrialRow(run_id=run_id, version=version, champion="one", started_by=telegram_id, ended_by=telegram_id)
    trial.state = TrialState.CONFIRMED
    unit.add(trial)
    unit.flush()
    texts = {"text_hash": text_hash, "message_id": review.message_id, "champion_label": "Positive"}
    unit.add(TrialTextRow(trial_id=trial.id, **texts))
    unit.add(LookRow(run_id=run_id, champion="one", texts=50, alpha=0.01))
    unit.add(PausedLabellerRow(person_id=review.person_id))
    unit.add(LearningPauseRow(paused=False, who=telegram_id))
    unit.flush()
