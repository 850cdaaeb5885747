"""Who is to hear that corrections of theirs are in the model that answers now, and of which.

A person hears of a correction once: of the texts that a run trained on, those count that no run before did of which
people were told. Only the person's own texts are told of by name; votes on texts of others are not, since their authors
may delete them.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import aliased

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import Consent, SnapshotPart, Vote
from storage.db.tables import ConsentRow, ModelVersionRow, PersonRow, RunRow, SnapshotRow, VoteRow
from storage.privacy.consent import NOTICES, consenting_people


@dataclass(frozen=True, slots=True)
class LiveRun:
    """The live version, and the run that made it and that nobody was told of."""

    run_id: int
    version: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A text that its author corrected; ``label`` is what the author says is true."""

    message_id: int
    label: str


@dataclass(frozen=True, slots=True)
class CorrectionNotification:
    """What one person is to hear of a run, from the bot that they asked last.

    ``corrections`` are of the person's own texts, newest first; ``votes`` says that votes on texts of others count too.
    """

    person_id: int
    bot_id: int
    telegram_id: int
    language: str | None
    corrections: tuple[Correction, ...]
    votes: bool


@dataclass(frozen=True, slots=True)
class _Asking:
    """Somebody who asked a bot for notices."""

    bot_id: int
    telegram_id: int
    language: str | None


def unannounced_run(unit: UnitOfWork) -> LiveRun | None:
    """The live version's run, as long as nobody was told of it."""
    row = unit.execute(
        select(RunRow.id, ModelVersionRow.version)
        .join(RunRow, RunRow.id == ModelVersionRow.run_id)
        .where(ModelVersionRow.live, RunRow.noticed_at.is_(None))
    ).first()
    return None if row is None else LiveRun(row.id, row.version)


def notifications_for(unit: UnitOfWork, run_id: int) -> list[CorrectionNotification]:
    """What there is to tell of a run, by person; nothing to people who asked for no notices, or train no model."""
    asking = _asking(unit)
    own: defaultdict[int, list[Correction]] = defaultdict(list)
    for row in unit.execute(_corrections(run_id)):
        own[row.person_id].append(Correction(row.message_id, row.label))
    voters = set(unit.scalars(_voters(run_id)))
    return [
        CorrectionNotification(
            person_id, to.bot_id, to.telegram_id, to.language, tuple(own[person_id]), person_id in voters
        )
        for person_id, to in asking.items()
        if own[person_id] or person_id in voters
    ]


def claim_notifications(unit: UnitOfWork, run_id: int) -> bool:
    """Note that people are told of the run in this unit of work; False when another process did so."""
    untold = update(RunRow).where(RunRow.id == run_id, RunRow.noticed_at.is_(None))
    return bool(unit.change(untold.values(noticed_at=utc_now())))


def _asking(unit: UnitOfWork) -> dict[int, _Asking]:
    """Who asked for notices and may be written to, by person. People who came from a file have negative ids."""
    newest = (
        select(func.max(ConsentRow.id))
        .where(ConsentRow.scope.startswith(NOTICES))
        .group_by(ConsentRow.person_id, ConsentRow.scope)
    )
    lines = unit.execute(
        select(PersonRow.id, PersonRow.telegram_id, PersonRow.language, ConsentRow.scope)
        .join(ConsentRow, ConsentRow.person_id == PersonRow.id)
        .where(ConsentRow.id.in_(newest), ConsentRow.consent == Consent.GRANTED)
        .where(PersonRow.telegram_id > 0, PersonRow.id.in_(consenting_people()))
        .order_by(ConsentRow.id)
    )
    return {row.id: _Asking(int(row.scope.removeprefix(NOTICES)), row.telegram_id, row.language) for row in lines}


def _corrections(run_id: int) -> Select[*tuple[Any, ...]]:
    """The texts that trained as their own authors had corrected them."""
    return (
        select(VoteRow.person_id, SnapshotRow.message_id, SnapshotRow.label)
        .join(SnapshotRow, SnapshotRow.text_hash == VoteRow.text_hash)
        .join(RunRow, RunRow.id == SnapshotRow.run_id)
        .where(*_heard(run_id), VoteRow.verdict == Vote.WRONG)
        .where(SnapshotRow.author_id == VoteRow.person_id, SnapshotRow.message_id.is_not(None))
        .order_by(VoteRow.created_at.desc(), VoteRow.id.desc())
    )


def _voters(run_id: int) -> Select[int]:
    """The people whose votes on texts of others trained."""
    return (
        select(VoteRow.person_id)
        .join(SnapshotRow, SnapshotRow.text_hash == VoteRow.text_hash)
        .join(RunRow, RunRow.id == SnapshotRow.run_id)
        .where(*_heard(run_id), SnapshotRow.author_id.is_distinct_from(VoteRow.person_id))
        .distinct()
    )


def _heard(run_id: int) -> tuple[Any, ...]:
    """Conditions: the run trained on the text, the vote said the same and came in time, and that is new."""
    earlier, told = aliased(SnapshotRow), aliased(RunRow)
    told_before = (
        select(earlier.id)
        .join(told, told.id == earlier.run_id)
        .where(
            earlier.text_hash == SnapshotRow.text_hash,
            earlier.label == SnapshotRow.label,
            earlier.part == SnapshotPart.TRAIN,
            earlier.run_id != run_id,
            told.noticed_at.is_not(None),
        )
        .correlate(SnapshotRow)
        .exists()
    )
    return (
        SnapshotRow.run_id == run_id,
        SnapshotRow.part == SnapshotPart.TRAIN,
        VoteRow.label == SnapshotRow.label,
        VoteRow.created_at <= RunRow.snapshot_at,
        ~told_before,
    )
