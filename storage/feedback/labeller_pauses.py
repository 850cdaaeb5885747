"""Pauses labellers who miss gold questions too often. While they are paused, their votes don't count.

A person is paused once they have answered MIN_ANSWERS gold questions and got less than PASS_SHARE (0 to 1) of the last
NEWEST right. The pause ends as soon as that is no longer true. Votes given during the pause are stored, and count
afterwards. Admins are never paused.
"""

from enum import StrEnum
from typing import Final

from sqlalchemy import Select, delete, func, select

from storage.db.database import UnitOfWork
from storage.db.states import OfferState
from storage.db.tables import ConsentRow, OfferRow, PausedLabellerRow
from storage.privacy.consent import consenting_people

NEWEST: Final = 10
MIN_ANSWERS: Final = 5
PASS_SHARE: Final = 0.7


class PauseChange(StrEnum):
    """What an answer changed: the person is PAUSED, or their votes count again."""

    PAUSED = "paused"
    RESUMED = "resumed"


def update_pause(unit: UnitOfWork, person_id: int) -> PauseChange | None:
    """Apply the rule to a person who is not an admin, and return what changed, or None if nothing did."""
    answers = newest_answers(unit, person_id)
    failing = len(answers) >= MIN_ANSWERS and sum(answers) < PASS_SHARE * len(answers)
    if failing:
        row = unit.insert(PausedLabellerRow).values(person_id=person_id, created_at=unit.now())
        added = unit.scalar(row.on_conflict_do_nothing().returning(PausedLabellerRow.person_id))
        return None if added is None else PauseChange.PAUSED
    removed = unit.change(delete(PausedLabellerRow).where(PausedLabellerRow.person_id == person_id))
    return PauseChange.RESUMED if removed else None


def newest_answers(unit: UnitOfWork, person_id: int) -> list[bool]:
    """For each of the person's newest answers to gold questions, newest first, return whether it was right."""
    answered = (OfferRow.gold_label.is_not(None), OfferRow.state == OfferState.ANSWERED)
    newest_first = (func.coalesce(OfferRow.closed_at, OfferRow.created_at).desc(), OfferRow.id.desc())
    rows = select(OfferRow.answer == OfferRow.gold_label).where(OfferRow.person_id == person_id, *answered)
    return [bool(right) for right in unit.scalars(rows.order_by(*newest_first).limit(NEWEST))]


def is_paused(unit: UnitOfWork, person_id: int) -> bool:
    """Return whether the person's votes don't count for now."""
    return unit.scalar(paused_people().where(PausedLabellerRow.person_id == person_id)) is not None


def paused_people() -> Select[int]:
    """Select the ids of the people whose votes don't count for now."""
    return select(PausedLabellerRow.person_id)


def counted_voters() -> Select[int]:
    """Select the ids of the people whose votes count: they consent to training, and are not paused."""
    return consenting_people().where(ConsentRow.person_id.not_in(paused_people()))
