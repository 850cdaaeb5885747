"""Looks at the votes that could promote a model for good, and the alpha that each look spent.

``worker.gate.spending`` decides how much a look may spend.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

from sqlalchemy import select

from storage.db.database import UnitOfWork
from storage.db.tables import LookRow, ModelVersionRow

# The factor by which the votes must grow between two looks at candidates for the same live model.
_GROWTH: Final = 1.5


@dataclass(frozen=True, slots=True)
class Look:
    """A comparison of a model with ``champion``, based on the votes on ``texts`` texts, that spent ``alpha``.

    A look belongs to a run or to a trial.
    """

    at: datetime
    champion: str
    texts: int
    alpha: float
    run_id: int | None = None
    trial_id: int | None = None


def texts_for_next_look(found: Sequence[Look], champion: str) -> int:
    """Return how many texts must have votes before a run may take a look that could replace ``champion``.

    Looking again at nearly the same votes would reveal little, so there must be 50% more texts than at the last look.
    """
    seen = [look.texts for look in found if look.champion == champion and look.run_id is not None]
    return ceil(_GROWTH * max(seen)) if seen else 0


def lock(unit: UnitOfWork) -> None:
    """Make other processes' looks wait until this unit of work ends, so that nothing is spent twice."""
    unit.scalar(select(ModelVersionRow.version).where(ModelVersionRow.live).with_for_update(key_share=True))


def looks(unit: UnitOfWork) -> list[Look]:
    """Return all looks, oldest first."""
    rows = unit.scalars(select(LookRow).order_by(LookRow.created_at, LookRow.id))
    return [Look(row.created_at, row.champion, row.texts, row.alpha, row.run_id, row.trial_id) for row in rows]


def record(unit: UnitOfWork, look: Look) -> None:
    """Record a look. A run that looks again, in another attempt, keeps its first look."""
    values = {name: getattr(look, name) for name in ("champion", "texts", "alpha", "run_id", "trial_id")}
    unit.execute(unit.insert(LookRow).values(created_at=look.at, **values).on_conflict_do_nothing())
