"""Finds people to notify that the live model learned from their corrections.

A person is notified of each correction only once. A text does not count if people were already notified of an earlier
run that trained on the text with the same label. A notification lists only the person's own texts, and not other
people's texts that they voted on, because the authors may delete those texts.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import aliased

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import Consent, SnapshotPart, TrialState, Vote
from storage.db.tables import ConsentRow, ModelVersionRow, PersonRow, RunRow, SnapshotRow, TrialRow, VoteRow
from storage.privacy.consent import NOTICES, consenting_people


@dataclass(frozen=True, slots=True)
class LiveRun:
    """The live version and the run that trained it, which people have not been notified of yet."""

    run_id: int
    version: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A text that its author corrected. ``label`` is the correct label according to the author."""

    message_id: int
    label: str


@dataclass(frozen=True, slots=True)
class CorrectionNotification:
    """One person's notification of a run, sent by the bot with which they last opted in.

    ``corrections`` are the corrections to the person's own texts, newest first. ``votes`` is True if the run also used
    the person's votes on other people's texts. ``percentages`` is False if the person chose not to see percentages.
    """

    person_id: int
    bot_id: int
    telegram_id: int
    language: str | None
    corrections: tuple[Correction, ...]
    votes: bool
    percentages: bool = True


@dataclass(frozen=True, slots=True)
class _Subscriber:
    """A person who opted in to notifications from a bot."""

    bot_id: int
    telegram_id: int
    language: str | None
    percentages: bool


def unannounced_run(unit: UnitOfWork) -> LiveRun | None:
    """Return the live version's run, or None if people have already been notified of it.

    People are not notified of a model on trial, because it may be rolled back.
    """
    on_trial = select(TrialRow.version).where(TrialRow.state == TrialState.RUNNING)
    row = unit.execute(
        select(RunRow.id, ModelVersionRow.version)
        .join(RunRow, RunRow.id == ModelVersionRow.run_id)
        .where(ModelVersionRow.live, ModelVersionRow.version.not_in(on_trial), RunRow.noticed_at.is_(None))
    ).first()
    return None if row is None else LiveRun(row.id, row.version)


def notifications_for(unit: UnitOfWork, run_id: int) -> list[CorrectionNotification]:
    """Return one notification for each person who opted in, consents to training, and contributed to the run."""
    subscribers = _subscribers(unit)
    corrections: defaultdict[int, list[Correction]] = defaultdict(list)
    for row in unit.execute(_corrections(run_id)):
        corrections[row.person_id].append(Correction(row.message_id, row.label))
    voters = set(unit.scalars(_voters(run_id)))
    return [
        CorrectionNotification(
            person_id=person_id,
            bot_id=subscriber.bot_id,
            telegram_id=subscriber.telegram_id,
            language=subscriber.language,
            corrections=tuple(corrections[person_id]),
            votes=person_id in voters,
            percentages=subscriber.percentages,
        )
        for person_id, subscriber in subscribers.items()
        if corrections[person_id] or person_id in voters
    ]


def claim_notifications(unit: UnitOfWork, run_id: int) -> bool:
    """Claim a run's notifications for this unit of work, or return False if another process has claimed them."""
    unclaimed = update(RunRow).where(RunRow.id == run_id, RunRow.noticed_at.is_(None))
    return bool(unit.change(unclaimed.values(noticed_at=utc_now())))


def _subscribers(unit: UnitOfWork) -> dict[int, _Subscriber]:
    """Return the people who opted in and can be messaged, keyed by id.

    Imported people have negative Telegram ids and cannot be messaged.
    """
    newest = (
        select(func.max(ConsentRow.id))
        .where(ConsentRow.scope.startswith(NOTICES))
        .group_by(ConsentRow.person_id, ConsentRow.scope)
    )
    lines = unit.execute(
        select(PersonRow.id, PersonRow.telegram_id, PersonRow.language, PersonRow.shows_percentages, ConsentRow.scope)
        .join(ConsentRow, ConsentRow.person_id == PersonRow.id)
        .where(ConsentRow.id.in_(newest), ConsentRow.consent == Consent.GRANTED)
        .where(PersonRow.telegram_id > 0, PersonRow.id.in_(consenting_people()))
        .order_by(ConsentRow.id)
    )
    return {
        row.id: _Subscriber(int(row.scope.removeprefix(NOTICES)), row.telegram_id, row.language, row.shows_percentages)
        for row in lines
    }


def _corrections(run_id: int) -> Select[*tuple[Any, ...]]:
    """Select the texts that the run trained on, with their authors' own corrections."""
    return (
        select(VoteRow.person_id, SnapshotRow.message_id, SnapshotRow.label)
        .join(SnapshotRow, SnapshotRow.text_hash == VoteRow.text_hash)
        .join(RunRow, RunRow.id == SnapshotRow.run_id)
        .where(*_first_trained_in(run_id), VoteRow.verdict == Vote.WRONG)
        .where(SnapshotRow.author_id == VoteRow.person_id, SnapshotRow.message_id.is_not(None))
        .order_by(VoteRow.created_at.desc(), VoteRow.id.desc())
    )


def _voters(run_id: int) -> Select[int]:
    """Select the people whose votes on other people's texts were used in the run."""
    return (
        select(VoteRow.person_id)
        .join(SnapshotRow, SnapshotRow.text_hash == VoteRow.text_hash)
        .join(RunRow, RunRow.id == SnapshotRow.run_id)
        .where(*_first_trained_in(run_id), SnapshotRow.author_id.is_distinct_from(VoteRow.person_id))
        .distinct()
    )


def _first_trained_in(run_id: int) -> tuple[Any, ...]:
    """Return the conditions for votes that the run was the first to train on.

    The vote was given before the run's snapshot, and the run trained on the text with the vote's label. An earlier run
    that did the same counts only if people were notified of it.
    """
    earlier, notified = aliased(SnapshotRow), aliased(RunRow)
    notified_before = (
        select(earlier.id)
        .join(notified, notified.id == earlier.run_id)
        .where(
            earlier.text_hash == SnapshotRow.text_hash,
            earlier.label == SnapshotRow.label,
            earlier.part == SnapshotPart.TRAIN,
            earlier.run_id != run_id,
            notified.noticed_at.is_not(None),
        )
        .correlate(SnapshotRow)
        .exists()
    )
    return (
        SnapshotRow.run_id == run_id,
        SnapshotRow.part == SnapshotPart.TRAIN,
        VoteRow.label == SnapshotRow.label,
        VoteRow.created_at <= RunRow.snapshot_at,
        ~notified_before,
    )
