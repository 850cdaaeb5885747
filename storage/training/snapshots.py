"""The data of a training run: written down once, row by row, and resolved to texts when the run is carried out.

A row names a message, a label and the keyed hash of the text. Which side a text is on holds for ever: one that was
held out in any run never trains, and one that trained never measures.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import groupby
from typing import Final

from sqlalchemy import func, insert, or_, select
from sqlalchemy.sql import ColumnElement

from storage.chat.messages import Part as Piece
from storage.chat.messages import joined
from storage.db.database import Unit
from storage.db.encryption import Cipher
from storage.db.states import Part
from storage.db.tables import JudgementRow, MessageRow, ModelVersionRow, PartRow, PersonRow, RunRow, SnapshotRow
from storage.feedback.eligibility import JudgedText, Rules, UsableText, usable
from storage.privacy.consent import consenting
from storage.training.quotas import Supplied, within_quotas
from storage.training.runs import JUDGED, Lease, note_snapshot

_HASH_VALUES: Final = 2**64
# Ids in a statement; SQLite takes 32,766 values.
_IDS_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How many texts of a run train and how many measure."""

    train: int
    held_out: int


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A text and the label that people agreed on."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a snapshot before it is written."""

    judged: JudgedText
    label: str
    part: Part


def take(unit: Unit, lease: Lease, rules: Rules, admins: frozenset[int], champion: str) -> Snapshot:
    """Write down what the run learns from and is measured on; raises LeaseLost.

    A run that is taken up again keeps the snapshot, and the ``champion`` to beat, that it has. ``admins`` are Telegram
    ids.
    """
    if lease.run.snapshot_at is None:
        note_snapshot(unit, lease, champion)
        chosen = _choose(unit, rules, admins)
        there = _held(unit, [row.judged.message_id for row in chosen])
        if rows := [_values(lease.run.id, row) for row in chosen if row.judged.message_id in there]:
            unit.execute(insert(SnapshotRow), rows)
    counted = select(SnapshotRow.part, func.count()).where(SnapshotRow.run_id == lease.run.id)
    counts = Counter(dict(unit.execute(counted.group_by(SnapshotRow.part)).all()))
    return Snapshot(counts[Part.TRAIN], counts[Part.HELD_OUT])


def judged_texts(unit: Unit, run_id: int, part: Part) -> list[JudgedRow]:
    """The texts of a run that train, or those that it is the first to hold out; see ``held_out_before`` for the rest.

    A text that was deleted since, or whose author's consent ended, is missed.
    """
    wanted = (SnapshotRow.run_id == run_id) & (SnapshotRow.part == part)
    return _resolved(unit, wanted if part is Part.TRAIN else wanted & ~_held_out_earlier(run_id))


def held_out_before(unit: Unit, run_id: int) -> list[JudgedRow]:
    """The texts of a run that it holds out and an earlier one did too: they are still usable, and measure again."""
    held_out = (SnapshotRow.run_id == run_id) & (SnapshotRow.part == Part.HELD_OUT)
    return _resolved(unit, held_out & _held_out_earlier(run_id))


def new_usable(unit: Unit, rules: Rules, admins: frozenset[int]) -> int:
    """How many texts a snapshot taken now would have that the newest one has not, or has under another label.

    Only snapshots count of which a model was made and judged: what a run that broke off was to learn is still new.
    """
    newest = select(func.max(RunRow.id)).where(RunRow.state.in_(JUDGED)).scalar_subquery()
    known = select(SnapshotRow.text_hash, SnapshotRow.label).where(SnapshotRow.run_id == newest)
    before = dict(unit.execute(known).all())
    return sum(before.get(row.judged.text_hash) != row.label for row in _choose(unit, rules, admins))


def versions_that_saw(unit: Unit, person_id: int) -> list[str]:
    """The model versions, oldest first, that learnt from or were measured on the person's texts or judgements."""
    judged_in_time = (
        select(JudgementRow.id)
        .where(
            JudgementRow.person_id == person_id,
            JudgementRow.text_hash == SnapshotRow.text_hash,
            JudgementRow.created_at <= RunRow.snapshot_at,
        )
        .exists()
    )
    runs = (
        select(SnapshotRow.run_id)
        .join(RunRow, RunRow.id == SnapshotRow.run_id)
        .where(or_(SnapshotRow.author_id == person_id, judged_in_time))
    )
    versions = select(ModelVersionRow.version).where(ModelVersionRow.run_id.in_(runs))
    return list(unit.scalars(versions.order_by(ModelVersionRow.created_at, ModelVersionRow.version)))


def _choose(unit: Unit, rules: Rules, admins: frozenset[int]) -> list[_Row]:
    """Put every usable text on its side, and leave out of the training side what people supply too much of."""
    sides = _sides(unit)
    found = usable(unit, rules.quorum, admins)

    def side(text: JudgedText) -> Part:
        return sides.get(text.text_hash) or _side(unit.cipher, text, rules.holdout)

    rows = [_Row(text.judged, text.label, side(text.judged)) for text in found]
    trains = {row.judged.text_hash for row in rows if row.part is Part.TRAIN}
    kept = _within_quotas(unit, [text for text in found if text.judged.text_hash in trains], rules, admins)
    return [row for row in rows if row.part is Part.HELD_OUT or row.judged.text_hash in kept]


def _within_quotas(unit: Unit, texts: Sequence[UsableText], rules: Rules, admins: frozenset[int]) -> frozenset[bytes]:
    """The hashes of the texts that may train now; one that an admin decided is the admin's supply, who has no quota."""
    exempt = set(unit.scalars(select(PersonRow.id).where(PersonRow.telegram_id.in_(sorted(admins)))))

    def supplied(text: UsableText) -> Supplied:
        if text.judged.standing.by_admin:
            return Supplied(text.judged.text_hash, (), ())
        authors = () if text.judged.author_id in exempt else (text.judged.author_id,)
        return Supplied(text.judged.text_hash, authors, text.supporters)

    kept = within_quotas([supplied(text) for text in texts], rules.person_rows, rules.person_share)
    return frozenset(row.text_hash for row in kept)


def _sides(unit: Unit) -> dict[bytes, Part]:
    """The side of every text that any run had; HELD_OUT comes before TRAIN, should a text ever have had both."""
    sides = select(SnapshotRow.text_hash, func.min(SnapshotRow.part)).group_by(SnapshotRow.text_hash)
    return {text_hash: Part(part) for text_hash, part in unit.execute(sides)}


def _side(cipher: Cipher, text: JudgedText, holdout: float) -> Part:
    """Draw a side by the author and the minute, so that texts written together stay together.

    Texts from a file came in one minute, whenever they were written, so each of them draws by itself.
    """
    minute = math.floor(text.written_at.astimezone(UTC).timestamp() / 60)
    drawn_by = text.text_hash.hex() if text.brought else f"{text.author_id} {minute}"
    number = int.from_bytes(cipher.fingerprint(f"side {drawn_by}")[:8], "big")
    return Part.HELD_OUT if number / _HASH_VALUES < holdout else Part.TRAIN


def _held(unit: Unit, message_ids: Sequence[int]) -> set[int]:
    """Those of the messages that are still there, which nobody can delete before this unit of work ends."""
    there: set[int] = set()
    for start in range(0, len(message_ids), _IDS_AT_ONCE):
        some = select(MessageRow.id).where(MessageRow.id.in_(message_ids[start : start + _IDS_AT_ONCE]))
        there.update(unit.scalars(some.order_by(MessageRow.id).with_for_update(read=True, key_share=True)))
    return there


def _values(run_id: int, row: _Row) -> dict[str, object]:
    return {
        "run_id": run_id,
        "message_id": row.judged.message_id,
        "author_id": row.judged.author_id,
        "text_hash": row.judged.text_hash,
        "label": row.label,
        "part": row.part,
    }


def _held_out_earlier(run_id: int) -> ColumnElement[bool]:
    earlier = select(SnapshotRow.text_hash).where(SnapshotRow.run_id < run_id, SnapshotRow.part == Part.HELD_OUT)
    return SnapshotRow.text_hash.in_(earlier)


def _resolved(unit: Unit, wanted: ColumnElement[bool]) -> list[JudgedRow]:
    """Decrypt the texts of these rows, in the order of the rows."""
    parts = unit.execute(
        select(SnapshotRow.id, SnapshotRow.label, PartRow.telegram_message_id, PartRow.text)
        .join(PartRow, PartRow.message_id == SnapshotRow.message_id)
        .where(wanted, SnapshotRow.author_id.in_(consenting()))
        .order_by(SnapshotRow.id, PartRow.position)
    )
    return [
        JudgedRow(joined([Piece(part.telegram_message_id, unit.cipher.decrypt(part.text)) for part in own]), label)
        for (_, label), own in groupby(parts, key=lambda part: (part.id, part.label))
    ]
