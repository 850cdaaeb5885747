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

from core.labelled_text import LabelledText
from storage.chat.messages import MessagePart as Piece
from storage.chat.messages import join_parts
from storage.db.database import UnitOfWork
from storage.db.encryption import Cipher
from storage.db.states import SnapshotPart
from storage.db.tables import MessagePartRow, MessageRow, ModelVersionRow, PersonRow, RunRow, SnapshotRow, VoteRow
from storage.feedback.eligibility import EligibilityRules, EligibleText, VotedText, eligible_texts
from storage.privacy.consent import consenting_people
from storage.training.quotas import Contribution, within_quotas
from storage.training.runs import EVALUATED, Lease, record_snapshot

_HASH_VALUES: Final = 2**64
# Ids in a statement; SQLite takes 32,766 values.
_IDS_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How many texts of a run train and how many measure."""

    train: int
    held_out: int


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a snapshot before it is written."""

    judged: VotedText
    label: str
    part: SnapshotPart


def create_snapshot(
    unit: UnitOfWork, lease: Lease, rules: EligibilityRules, admins: frozenset[int], champion: str
) -> Snapshot:
    """Write down what the run learns from and is measured on; raises LeaseLost.

    A run that is taken up again keeps the snapshot, and the ``champion`` to beat, that it has. ``admins`` are Telegram
    ids.
    """
    if lease.run.snapshot_at is None:
        record_snapshot(unit, lease, champion)
        chosen = _choose(unit, rules, admins)
        there = _held(unit, [row.judged.message_id for row in chosen])
        if rows := [_values(lease.run.id, row) for row in chosen if row.judged.message_id in there]:
            unit.execute(insert(SnapshotRow), rows)
    counted = select(SnapshotRow.part, func.count()).where(SnapshotRow.run_id == lease.run.id)
    counts = Counter(dict(unit.execute(counted.group_by(SnapshotRow.part)).all()))
    return Snapshot(counts[SnapshotPart.TRAIN], counts[SnapshotPart.HELD_OUT])


def labelled_texts(unit: UnitOfWork, run_id: int, part: SnapshotPart) -> list[LabelledText]:
    """The texts of a run that train, or those that it is the first to hold out; see ``held_out_before`` for the rest.

    A text that was deleted since, or whose author's consent ended, is missed.
    """
    wanted = (SnapshotRow.run_id == run_id) & (SnapshotRow.part == part)
    return _resolved(unit, wanted if part is SnapshotPart.TRAIN else wanted & ~_held_out_earlier(run_id))


def held_out_before(unit: UnitOfWork, run_id: int) -> list[LabelledText]:
    """The texts of a run that it holds out and an earlier one did too: they are still usable, and measure again."""
    held_out = (SnapshotRow.run_id == run_id) & (SnapshotRow.part == SnapshotPart.HELD_OUT)
    return _resolved(unit, held_out & _held_out_earlier(run_id))


def count_new_eligible(unit: UnitOfWork, rules: EligibilityRules, admins: frozenset[int]) -> int:
    """How many texts a snapshot taken now would have that the newest one has not, or has under another label.

    Only snapshots count of which a model was made and judged: what a run that broke off was to learn is still new.
    """
    newest = select(func.max(RunRow.id)).where(RunRow.state.in_(EVALUATED)).scalar_subquery()
    known = select(SnapshotRow.text_hash, SnapshotRow.label).where(SnapshotRow.run_id == newest)
    before = dict(unit.execute(known).all())
    return sum(before.get(row.judged.text_hash) != row.label for row in _choose(unit, rules, admins))


def versions_that_saw(unit: UnitOfWork, person_id: int) -> list[str]:
    """The model versions, oldest first, that learnt from or were measured on the person's texts or judgements."""
    judged_in_time = (
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
        .where(or_(SnapshotRow.author_id == person_id, judged_in_time))
    )
    versions = select(ModelVersionRow.version).where(ModelVersionRow.run_id.in_(runs))
    return list(unit.scalars(versions.order_by(ModelVersionRow.created_at, ModelVersionRow.version)))


def _choose(unit: UnitOfWork, rules: EligibilityRules, admins: frozenset[int]) -> list[_Row]:
    """Put every usable text on its side, and leave out of the training side what people supply too much of."""
    sides = _sides(unit)
    found = eligible_texts(unit, rules.quorum, admins)

    def side(text: VotedText) -> SnapshotPart:
        return sides.get(text.text_hash) or _side(unit.cipher, text, rules.holdout)

    rows = [_Row(text.voted, text.label, side(text.voted)) for text in found]
    trains = {row.judged.text_hash for row in rows if row.part is SnapshotPart.TRAIN}
    kept = _within_quotas(unit, [text for text in found if text.voted.text_hash in trains], rules, admins)
    return [row for row in rows if row.part is SnapshotPart.HELD_OUT or row.judged.text_hash in kept]


def _within_quotas(
    unit: UnitOfWork, texts: Sequence[EligibleText], rules: EligibilityRules, admins: frozenset[int]
) -> frozenset[bytes]:
    """The hashes of the texts that may train now; one that an admin decided is the admin's supply, who has no quota."""
    exempt = set(unit.scalars(select(PersonRow.id).where(PersonRow.telegram_id.in_(sorted(admins)))))

    def supplied(text: EligibleText) -> Contribution:
        if text.voted.consensus.by_admin:
            return Contribution(text.voted.text_hash, (), ())
        authors = () if text.voted.author_id in exempt else (text.voted.author_id,)
        return Contribution(text.voted.text_hash, authors, text.supporters)

    kept = within_quotas([supplied(text) for text in texts], rules.person_rows, rules.person_share)
    return frozenset(row.text_hash for row in kept)


def _sides(unit: UnitOfWork) -> dict[bytes, SnapshotPart]:
    """The side of every text that any run had; HELD_OUT comes before TRAIN, should a text ever have had both."""
    sides = select(SnapshotRow.text_hash, func.min(SnapshotRow.part)).group_by(SnapshotRow.text_hash)
    return {text_hash: SnapshotPart(part) for text_hash, part in unit.execute(sides)}


def _side(cipher: Cipher, text: VotedText, holdout: float) -> SnapshotPart:
    """Draw a side by the author and the minute, so that texts written together stay together.

    Texts from a file came in one minute, whenever they were written, so each of them draws by itself.
    """
    minute = math.floor(text.written_at.astimezone(UTC).timestamp() / 60)
    drawn_by = text.text_hash.hex() if text.imported else f"{text.author_id} {minute}"
    number = int.from_bytes(cipher.fingerprint(f"side {drawn_by}")[:8], "big")
    return SnapshotPart.HELD_OUT if number / _HASH_VALUES < holdout else SnapshotPart.TRAIN


def _held(unit: UnitOfWork, message_ids: Sequence[int]) -> set[int]:
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
    earlier = select(SnapshotRow.text_hash).where(
        SnapshotRow.run_id < run_id, SnapshotRow.part == SnapshotPart.HELD_OUT
    )
    return SnapshotRow.text_hash.in_(earlier)


def _resolved(unit: UnitOfWork, wanted: ColumnElement[bool]) -> list[LabelledText]:
    """Decrypt the texts of these rows, in the order of the rows."""
    parts = unit.execute(
        select(SnapshotRow.id, SnapshotRow.label, MessagePartRow.telegram_message_id, MessagePartRow.text)
        .join(MessagePartRow, MessagePartRow.message_id == SnapshotRow.message_id)
        .where(wanted, SnapshotRow.author_id.in_(consenting_people()))
        .order_by(SnapshotRow.id, MessagePartRow.position)
    )
    return [
        LabelledText(
            join_parts([Piece(part.telegram_message_id, unit.cipher.decrypt(part.text)) for part in own]), label
        )
        for (_, label), own in groupby(parts, key=lambda part: (part.id, part.label))
    ]
