"""Snapshots of training data, created once per run and resolved to texts when the run is executed.

A row refers to a message and contains its label and the keyed hash of its text. Each text stays in the same part in
every run: a held-out text is never trained on later, and a text that was trained on is never held out.
"""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import groupby
from typing import Final

from sqlalchemy import func, insert, or_, select
from sqlalchemy.sql import ColumnElement

from core.labelled_text import LabelledText
from storage.chat.messages import MessagePart, join_parts
from storage.db.database import UnitOfWork
from storage.db.encryption import Cipher
from storage.db.states import SnapshotPart
from storage.db.tables import MessagePartRow, MessageRow, ModelVersionRow, PersonRow, RunRow, SnapshotRow, VoteRow
from storage.feedback.eligibility import EligibilityRules, EligibleText, VotedText, eligible_texts
from storage.privacy.consent import consenting_people
from storage.training.quotas import Contribution, within_quotas
from storage.training.runs import EVALUATED, Lease, record_snapshot

_HASH_VALUES: Final = 2**64
# Maximum number of ids in one statement. SQLite accepts at most 32,766 values.
_ID_CHUNK: Final = 10_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The number of texts that a run trains on, and the number of texts that it holds out."""

    train: int
    held_out: int


@dataclass(frozen=True, slots=True)
class SnapshotPreview:
    """How many texts with usable votes a run would train on and hold out, and how many exceed a person's share."""

    train: int
    held_out: int
    over_quota: int

    @property
    def usable(self) -> int:
        """The number of texts with usable votes."""
        return self.train + self.held_out + self.over_quota


@dataclass(frozen=True, slots=True)
class _SnapshotText:
    """A row for a snapshot, before it is inserted."""

    voted: VotedText
    label: str
    part: SnapshotPart


@dataclass(frozen=True, slots=True)
class _Selection:
    """The rows for a snapshot, and the eligible texts that are left out because they exceed a person's share."""

    rows: list[_SnapshotText]
    over_quota: list[EligibleText]


def create_snapshot(
    unit: UnitOfWork, lease: Lease, rules: EligibilityRules, admins: frozenset[int], champion: str
) -> Snapshot:
    """Store the texts that the run trains on and the texts that it holds out.

    A resumed run keeps its snapshot and its ``champion``. ``admins`` are Telegram ids. Raise LeaseLost if this worker
    no longer holds the lease.
    """
    if lease.run.snapshot_at is None:
        selected = _select_texts(unit, rules, admins)
        record_snapshot(unit, lease, champion, len(selected.over_quota))
        texts = selected.rows
        locked = _lock_messages(unit, [row.voted.message_id for row in texts])
        if rows := [_values(lease.run.id, row) for row in texts if row.voted.message_id in locked]:
            unit.execute(insert(SnapshotRow), rows)
    return snapshot_of(unit, lease.run.id)


def labelled_texts(unit: UnitOfWork, run_id: int, part: SnapshotPart) -> list[LabelledText]:
    """Return a run's training texts, or its held-out texts that no earlier run held out (see ``held_out_before``).

    Texts are left out if they have since been deleted or their author withdrew consent.
    """
    in_part = (SnapshotRow.run_id == run_id) & (SnapshotRow.part == part)
    return _resolve_texts(unit, in_part if part is SnapshotPart.TRAIN else in_part & ~_held_out_earlier(run_id))


def held_out_before(unit: UnitOfWork, run_id: int) -> list[LabelledText]:
    """Return the run's held-out texts that an earlier run already held out. They are used for evaluation again."""
    held_out = (SnapshotRow.run_id == run_id) & (SnapshotRow.part == SnapshotPart.HELD_OUT)
    return _resolve_texts(unit, held_out & _held_out_earlier(run_id))


def preview(unit: UnitOfWork, rules: EligibilityRules, admins: frozenset[int]) -> SnapshotPreview:
    """Return how a run that starts now would use the texts with usable votes."""
    selected = _select_texts(unit, rules, admins)
    held_out = sum(row.part is SnapshotPart.HELD_OUT for row in selected.rows)
    return SnapshotPreview(len(selected.rows) - held_out, held_out, len(selected.over_quota))


def waiting_for_quota(unit: UnitOfWork, rules: EligibilityRules, admins: frozenset[int], person_id: int) -> int:
    """Return the number of texts that a person wrote or voted on and that exceed somebody's share of a run."""
    # Reading all votes takes long, and hardly anybody has that many.
    given = unit.scalars(select(func.count()).where(VoteRow.person_id == person_id)).one()
    if given < rules.person_rows:
        return 0
    return sum(
        person_id == text.voted.author_id or person_id in text.supporters
        for text in _select_texts(unit, rules, admins).over_quota
    )


def count_new_eligible(unit: UnitOfWork, rules: EligibilityRules, admins: frozenset[int]) -> int:
    """Return the number of texts that are new, or have a new label, since the newest snapshot.

    Only snapshots of evaluated runs count, so texts from a failed or cancelled run are still new.
    """
    newest = select(func.max(RunRow.id)).where(RunRow.state.in_(EVALUATED)).scalar_subquery()
    labels = select(SnapshotRow.text_hash, SnapshotRow.label).where(SnapshotRow.run_id == newest)
    label_by_hash = dict(unit.execute(labels).all())
    return sum(label_by_hash.get(row.voted.text_hash) != row.label for row in _select_texts(unit, rules, admins).rows)


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
    """Return the numbers of texts in a run's snapshot."""
    counted = select(SnapshotRow.part, func.count()).where(SnapshotRow.run_id == run_id)
    counts = Counter(dict(unit.execute(counted.group_by(SnapshotRow.part)).all()))
    return Snapshot(counts[SnapshotPart.TRAIN], counts[SnapshotPart.HELD_OUT])


def versions_that_saw_messages(unit: UnitOfWork, message_ids: Collection[int]) -> list[str]:
    """Return the model versions, oldest first, that were trained or evaluated on these texts."""
    runs = select(SnapshotRow.run_id).where(SnapshotRow.message_id.in_(message_ids))
    versions = select(ModelVersionRow.version).where(ModelVersionRow.run_id.in_(runs))
    return list(unit.scalars(versions.order_by(ModelVersionRow.created_at, ModelVersionRow.version)))


def _select_texts(unit: UnitOfWork, rules: EligibilityRules, admins: frozenset[int]) -> _Selection:
    """Assign every eligible text to a part, and drop training texts that exceed a person's quota."""
    known_parts = _known_parts(unit)
    texts = eligible_texts(unit, rules.quorum, admins)

    def part_of(text: VotedText) -> SnapshotPart:
        return known_parts.get(text.text_hash) or _draw_part(unit.cipher, text, rules.holdout)

    rows = [_SnapshotText(text.voted, text.label, part_of(text.voted)) for text in texts]
    train = {row.voted.text_hash for row in rows if row.part is SnapshotPart.TRAIN}
    kept = _within_quotas(unit, [text for text in texts if text.voted.text_hash in train], rules, admins)
    used = [row for row in rows if row.part is SnapshotPart.HELD_OUT or row.voted.text_hash in kept]
    return _Selection(used, [text for text in texts if text.voted.text_hash in train - kept])


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


def _known_parts(unit: UnitOfWork) -> dict[bytes, SnapshotPart]:
    """Return the part of every text in any snapshot, keyed by hash.

    If a text was ever held out, its part is HELD_OUT.
    """
    parts = select(SnapshotRow.text_hash, func.min(SnapshotRow.part)).group_by(SnapshotRow.text_hash)
    return {text_hash: SnapshotPart(part) for text_hash, part in unit.execute(parts)}


def _draw_part(cipher: Cipher, text: VotedText, holdout: float) -> SnapshotPart:
    """Draw a part by author and minute, so that texts written together stay together.

    Imported texts all arrive in the same minute, regardless of when they were written, so their parts are drawn
    separately.
    """
    minute = math.floor(text.written_at.astimezone(UTC).timestamp() / 60)
    group = text.text_hash.hex() if text.imported else f"{text.author_id} {minute}"
    number = int.from_bytes(cipher.fingerprint(f"side {group}")[:8], "big")
    return SnapshotPart.HELD_OUT if number / _HASH_VALUES < holdout else SnapshotPart.TRAIN


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


def _held_out_earlier(run_id: int) -> ColumnElement[bool]:
    earlier = select(SnapshotRow.text_hash).where(
        SnapshotRow.run_id < run_id, SnapshotRow.part == SnapshotPart.HELD_OUT
    )
    return SnapshotRow.text_hash.in_(earlier)


def _resolve_texts(unit: UnitOfWork, condition: ColumnElement[bool]) -> list[LabelledText]:
    """Decrypt the texts of the matching rows, in the order of the rows."""
    columns = (SnapshotRow.id, SnapshotRow.message_id, SnapshotRow.label)
    parts = unit.execute(
        select(*columns, MessagePartRow.telegram_message_id, MessagePartRow.text)
        .join(MessagePartRow, MessagePartRow.message_id == SnapshotRow.message_id)
        .where(condition, SnapshotRow.author_id.in_(consenting_people()))
        .order_by(SnapshotRow.id, MessagePartRow.position)
    )
    return [
        LabelledText(
            message_id,
            join_parts([MessagePart(part.telegram_message_id, unit.cipher.decrypt(part.text)) for part in group]),
            label,
        )
        for (_, message_id, label), group in groupby(parts, key=lambda part: (part.id, part.message_id, part.label))
    ]
