"""Snapshots of training data, created once per run and resolved to texts when the run is executed.

A row refers to a message and contains its label and the keyed hash of its text. Every eligible text is in the snapshot.
The run measures the models on all of them, and trains on those within everybody's quota. Texts that voters say are not
reviews have separate quotas. Those within the quotas train the review head.
"""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import groupby
from typing import Any, Final

from sqlalchemy import func, insert, or_, select
from sqlalchemy.sql import ColumnElement

from core.labelled_text import LabelledText
from storage.chat.messages import MessagePart, join_parts
from storage.db.database import UnitOfWork
from storage.db.encryption import Cipher
from storage.db.states import SnapshotPart
from storage.db.tables import MessagePartRow, MessageRow, ModelVersionRow, PersonRow, RunRow, SnapshotRow, VoteRow
from storage.feedback.eligibility import (
    IMPORT_BOT_ID,
    EligibilityRules,
    EligibleText,
    VotedText,
    learnable_texts,
)
from storage.privacy.consent import consenting_people
from storage.training.quotas import Contribution, within_quotas
from storage.training.runs import EVALUATED, Lease, record_snapshot

# Maximum number of ids in one statement. SQLite accepts at most 32,766 values.
_ID_CHUNK: Final = 10_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How many texts a run trains on, and how many more it uses only to measure the models."""

    train: int
    measure: int


@dataclass(frozen=True, slots=True)
class SnapshotPreview:
    """How many texts with usable votes a run would train on, and how many exceed a person's share."""

    train: int
    over_quota: int

    @property
    def usable(self) -> int:
        """The number of texts with usable votes."""
        return self.train + self.over_quota


@dataclass(frozen=True, slots=True)
class _SnapshotText:
    """A row for a snapshot, before it is inserted."""

    voted: VotedText
    label: str
    part: SnapshotPart


@dataclass(frozen=True, slots=True)
class _Selection:
    """The rows for a snapshot: ``rows`` for the eligible texts, and ``not_reviews`` for the review head.

    ``over_quota`` are the eligible texts that are used only to measure models, because they exceed a person's share.
    """

    rows: list[_SnapshotText]
    over_quota: list[EligibleText]
    not_reviews: list[_SnapshotText]


def create_snapshot(
    unit: UnitOfWork, lease: Lease, rules: EligibilityRules, admins: frozenset[int], champion: str
) -> Snapshot:
    """Store the texts that the run uses, each with its part.

    A resumed run keeps its snapshot and its ``champion``. ``admins`` are Telegram ids. Raise LeaseLost if this worker
    no longer holds the lease.
    """
    if lease.run.snapshot_at is None:
        selected = _select_texts(unit, rules, admins)
        record_snapshot(unit, lease, champion, len(selected.over_quota))
        texts = [*selected.rows, *selected.not_reviews]
        locked = _lock_messages(unit, [row.voted.message_id for row in texts])
        if rows := [_values(lease.run.id, row) for row in texts if row.voted.message_id in locked]:
            unit.execute(insert(SnapshotRow), rows)
    return snapshot_of(unit, lease.run.id)


def labelled_texts(unit: UnitOfWork, run_id: int, part: SnapshotPart) -> list[LabelledText]:
    """Return the texts in a part of a run's snapshot. Texts that are not reviews have the label NEITHER.

    Texts are left out if they have since been deleted or their author withdrew consent.
    """
    return _resolve_texts(unit, (SnapshotRow.run_id == run_id) & (SnapshotRow.part == part))


def trained_before(unit: UnitOfWork, run_id: int, trained_by: int) -> list[int]:
    """Return the messages in a run's snapshot whose texts were used for training in the run ``trained_by``."""
    trained = select(SnapshotRow.text_hash).where(
        SnapshotRow.run_id == trained_by, SnapshotRow.part == SnapshotPart.TRAIN
    )
    found = select(SnapshotRow.message_id).where(
        SnapshotRow.run_id == run_id, SnapshotRow.message_id.is_not(None), SnapshotRow.text_hash.in_(trained)
    )
    return list(unit.scalars(found.order_by(SnapshotRow.message_id)))


def preview(unit: UnitOfWork, rules: EligibilityRules, admins: frozenset[int]) -> SnapshotPreview:
    """Return how a run that starts now would use the texts with usable votes."""
    selected = _select_texts(unit, rules, admins)
    waiting = len(selected.over_quota)
    return SnapshotPreview(len(selected.rows) - waiting, waiting)


def waiting_for_quota(unit: UnitOfWork, rules: EligibilityRules, admins: frozenset[int], person_id: int) -> int:
    """Count the texts that a person wrote or voted on and that exceed somebody's share of a run."""
    # Reading all votes takes long, and hardly anybody has that many.
    given = unit.scalars(select(func.count()).where(VoteRow.person_id == person_id)).one()
    if given < rules.person_rows:
        return 0
    return sum(
        person_id == text.voted.author_id or person_id in text.supporters
        for text in _select_texts(unit, rules, admins).over_quota
    )


def count_new_eligible(unit: UnitOfWork, rules: EligibilityRules, admins: frozenset[int]) -> int:
    """Count the texts to train on that are new or have a new label since the newest snapshot.

    Only snapshots of evaluated runs count, so texts from a failed or cancelled run are still new.
    """
    newest = select(func.max(RunRow.id)).where(RunRow.state.in_(EVALUATED)).scalar_subquery()
    labels = select(SnapshotRow.text_hash, SnapshotRow.label).where(SnapshotRow.run_id == newest)
    label_by_hash = dict(unit.execute(labels).all())
    return sum(
        row.part is SnapshotPart.TRAIN and label_by_hash.get(row.voted.text_hash) != row.label
        for row in _select_texts(unit, rules, admins).rows
    )


def versions_that_saw(unit: UnitOfWork, person_id: int) -> list[str]:
    """Return the model versions, oldest first, that were trained or evaluated on the person's texts or votes."""
    voted_before = (
        select(VoteRow.id)
        .where(
            VoteRow.person_id == person_id,
            VoteRow.text_hash == SnapshotRow.text_hash,
            VoteRow.created_at <= RunRow.snapshot_at,
        )
        .exists()
    )
    runs = (
        select(SnapshotRow.run_id)
        .join(RunRow, RunRow.id == SnapshotRow.run_id)
        .where(or_(SnapshotRow.author_id == person_id, voted_before))
    )
    versions = select(ModelVersionRow.version).where(ModelVersionRow.run_id.in_(runs))
    return list(unit.scalars(versions.order_by(ModelVersionRow.created_at, ModelVersionRow.version)))


def snapshot_of(unit: UnitOfWork, run_id: int) -> Snapshot:
    """Return how many texts of each part a run's snapshot contains."""
    counted = select(SnapshotRow.part, func.count()).where(SnapshotRow.run_id == run_id)
    counts = Counter(dict(unit.execute(counted.group_by(SnapshotRow.part)).all()))
    return Snapshot(counts[SnapshotPart.TRAIN], counts[SnapshotPart.MEASURE])


def versions_that_saw_messages(unit: UnitOfWork, message_ids: Collection[int]) -> list[str]:
    """Return the model versions, oldest first, that were trained or evaluated on these texts."""
    runs = select(SnapshotRow.run_id).where(SnapshotRow.message_id.in_(message_ids))
    versions = select(ModelVersionRow.version).where(ModelVersionRow.run_id.in_(runs))
    return list(unit.scalars(versions.order_by(ModelVersionRow.created_at, ModelVersionRow.version)))


def _select_texts(unit: UnitOfWork, rules: EligibilityRules, admins: frozenset[int]) -> _Selection:
    """Return every eligible text, and those texts within the quotas that are not reviews."""
    found = learnable_texts(unit, rules.quorum, admins)
    texts, others = found.labelled, found.not_reviews
    kept = _within_quotas(unit, texts, rules, admins)
    not_reviews = _within_quotas(unit, others, rules, admins)

    def part_of(text: VotedText) -> SnapshotPart:
        return SnapshotPart.TRAIN if text.text_hash in kept else SnapshotPart.MEASURE

    rows = [_SnapshotText(text.voted, text.label, part_of(text.voted)) for text in texts]
    return _Selection(
        rows,
        [text for text in texts if text.voted.text_hash not in kept],
        [
            _SnapshotText(text.voted, text.label, SnapshotPart.NOT_REVIEW)
            for text in others
            if text.voted.text_hash in not_reviews
        ],
    )


def _within_quotas(
    unit: UnitOfWork, texts: Sequence[EligibleText], rules: EligibilityRules, admins: frozenset[int]
) -> frozenset[bytes]:
    """Return the hashes of the texts within the quotas. Texts that an admin decided on do not count towards a quota."""
    exempt = set(unit.scalars(select(PersonRow.id).where(PersonRow.telegram_id.in_(sorted(admins)))))

    def contribution(text: EligibleText) -> Contribution:
        if text.voted.consensus.by_admin:
            return Contribution(text.voted.text_hash, (), ())
        authors = () if text.voted.author_id in exempt else (text.voted.author_id,)
        return Contribution(text.voted.text_hash, authors, text.supporters)

    kept = within_quotas([contribution(text) for text in texts], rules.person_rows, rules.person_share)
    return frozenset(row.text_hash for row in kept)


def _lock_messages(unit: UnitOfWork, message_ids: Sequence[int]) -> set[int]:
    """Return the messages that still exist, and lock them against deletion until this unit of work ends."""
    locked: set[int] = set()
    for start in range(0, len(message_ids), _ID_CHUNK):
        chunk = select(MessageRow.id).where(MessageRow.id.in_(message_ids[start : start + _ID_CHUNK]))
        locked.update(unit.scalars(chunk.order_by(MessageRow.id).with_for_update(read=True, key_share=True)))
    return locked


def _values(run_id: int, row: _SnapshotText) -> dict[str, object]:
    return {
        "run_id": run_id,
        "message_id": row.voted.message_id,
        "author_id": row.voted.author_id,
        "text_hash": row.voted.text_hash,
        "label": row.label,
        "part": row.part,
    }


def _resolve_texts(unit: UnitOfWork, condition: ColumnElement[bool]) -> list[LabelledText]:
    """Decrypt the texts of the matching rows, in the order of the rows."""
    parts = unit.execute(
        select(
            SnapshotRow.id,
            SnapshotRow.message_id,
            SnapshotRow.author_id,
            SnapshotRow.label,
            MessageRow.bot_id,
            MessageRow.created_at,
            MessagePartRow.telegram_message_id,
            MessagePartRow.text,
        )
        .join(MessageRow, MessageRow.id == SnapshotRow.message_id)
        .join(MessagePartRow, MessagePartRow.message_id == SnapshotRow.message_id)
        .where(condition, SnapshotRow.author_id.in_(consenting_people()))
        .order_by(SnapshotRow.id, MessagePartRow.position)
    )
    return [_labelled_text(unit.cipher, list(rows)) for _, rows in groupby(parts, key=lambda part: part.id)]


def _labelled_text(cipher: Cipher, rows: Sequence[Any]) -> LabelledText:
    """Return the text in a message's parts. Texts by the same author in the same minute share a group."""
    first = rows[0]
    minute = math.floor(first.created_at.astimezone(UTC).timestamp() / 60)
    # Imported texts all arrive in the same minute, regardless of when they were written.
    group = f"message {first.message_id}" if first.bot_id == IMPORT_BOT_ID else f"{first.author_id} {minute}"
    text = join_parts([MessagePart(row.telegram_message_id, cipher.decrypt(row.text)) for row in rows])
    return LabelledText(first.message_id, text, first.label, group)
