"""Records the texts that were offered to each labeller, and the answers, in one row per person and text.

An answer to a user's text is also stored as a vote. An answer to a gold question, which has a known label, is stored
only here and is never trained on.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, select, update

from storage.db.database import UnitOfWork
from storage.db.states import OfferState, Selection
from storage.db.tables import OfferRow
from storage.feedback.label_queue import QueuedText


@dataclass(frozen=True, slots=True)
class Offer:
    """An offered text: either a user's text, with a ``prediction_id``, or a gold question, with its ``gold_label``.

    A gold question has a ``prediction_id`` too if it is a user's text. ``selection`` says how a user's text was chosen.
    ``selection`` is None for a gold question, or if an earlier version of the program made the offer.
    """

    id: int
    text_hash: bytes
    prediction_id: int | None
    gold_label: str | None
    state: OfferState
    selection: Selection | None


@dataclass(frozen=True, slots=True)
class GoldScore:
    """How many gold questions a person answered, and how many of the answers were right."""

    person_id: int
    answered: int
    right: int


def offer_text(unit: UnitOfWork, person_id: int, queued: QueuedText) -> int:
    """Record that a user's text is shown to a labeller, and return the offer's id."""
    return _upsert_offer(unit, person_id, queued.text_hash, queued.prediction_id, None, queued.selection)


def offer_gold(unit: UnitOfWork, person_id: int, text: str, label: str, prediction_id: int | None = None) -> int:
    """Record that a gold question is shown to a labeller, and return the offer's id.

    ``prediction_id`` is set if the gold question is a user's text.
    """
    return _upsert_offer(unit, person_id, unit.cipher.fingerprint(text), prediction_id, label, None)


def find_offer(unit: UnitOfWork, person_id: int, offer_id: int) -> Offer | None:
    """Return the offer, or None if it no longer exists or was made to someone else."""
    return _one_offer(unit, _select_offers().where(OfferRow.id == offer_id, OfferRow.person_id == person_id))


def last_closed_offer(unit: UnitOfWork, person_id: int) -> Offer | None:
    """Return the offer that the person answered or skipped last, which they can still undo."""
    closed = OfferRow.state.in_([OfferState.ANSWERED, OfferState.SKIPPED])
    newest_first = (OfferRow.created_at.desc(), OfferRow.id.desc())
    return _one_offer(
        unit, _select_offers().where(OfferRow.person_id == person_id, closed).order_by(*newest_first).limit(1)
    )


def close_offer(unit: UnitOfWork, offer: Offer, state: OfferState, answer: str | None = None) -> bool:
    """Change the offer's state, or return False if the state has changed since ``offer`` was read."""
    unchanged = OfferRow.id == offer.id, OfferRow.state == offer.state
    return unit.change(update(OfferRow).where(*unchanged).values(state=state, answer=answer, closed_at=unit.now())) == 1


def clear_shown(unit: UnitOfWork, person_id: int) -> None:
    """Delete the person's unanswered offers, so that their texts can be offered again."""
    unit.change(delete(OfferRow).where(OfferRow.person_id == person_id, OfferRow.state == OfferState.SHOWN))


def answered_since(unit: UnitOfWork, person_id: int, since: datetime) -> int:
    """Count the questions, including gold questions, that the person has answered since the time ``since``."""
    answered = (OfferRow.state == OfferState.ANSWERED, OfferRow.closed_at >= since)
    return unit.scalars(select(func.count()).where(OfferRow.person_id == person_id, *answered)).one()


def count_skipped(unit: UnitOfWork, person_id: int) -> int:
    """Count the questions that the person skipped."""
    skipped = (OfferRow.person_id == person_id, OfferRow.state == OfferState.SKIPPED)
    return unit.scalars(select(func.count()).where(*skipped)).one()


def texts_since_gold(unit: UnitOfWork, person_id: int) -> int:
    """Return how many texts the person was offered since the newest gold question, or in total if there was none."""
    gold = select(func.max(OfferRow.created_at)).where(
        OfferRow.person_id == person_id, OfferRow.gold_label.is_not(None)
    )
    newest = unit.scalar(gold)
    texts = select(func.count()).where(OfferRow.person_id == person_id, OfferRow.gold_label.is_(None))
    return unit.scalars(texts if newest is None else texts.where(OfferRow.created_at > newest)).one()


def count_offers(unit: UnitOfWork, person_id: int) -> int:
    """Count the texts and gold questions that were offered to the person."""
    return unit.scalars(select(func.count()).where(OfferRow.person_id == person_id)).one()


def next_selection(unit: UnitOfWork, person_id: int) -> Selection:
    """Return how to choose the person's next text. The two methods alternate, starting with LEAST_SURE."""
    texts = select(func.count()).where(OfferRow.person_id == person_id, OfferRow.gold_label.is_(None))
    return Selection.RANDOM if unit.scalars(texts).one() % 2 else Selection.LEAST_SURE


def shown_text(unit: UnitOfWork, person_id: int) -> Offer | None:
    """Return the user's text that was last shown to the person and is still unanswered, or None."""
    shown = (OfferRow.person_id == person_id, OfferRow.state == OfferState.SHOWN, OfferRow.gold_label.is_(None))
    return _one_offer(unit, _select_offers().where(*shown).order_by(OfferRow.id.desc()).limit(1))


def offered_gold(unit: UnitOfWork, person_id: int) -> list[bytes]:
    """Return the hashes of the gold questions that were offered to the person, oldest first."""
    gold = select(OfferRow.text_hash).where(OfferRow.person_id == person_id, OfferRow.gold_label.is_not(None))
    return list(unit.scalars(gold.order_by(OfferRow.created_at, OfferRow.id)))


def gold_scores(unit: UnitOfWork) -> list[GoldScore]:
    """Return the gold score of each person who answered a gold question, ordered by the person's id."""
    right = func.count().filter(OfferRow.answer == OfferRow.gold_label)
    rows = unit.execute(
        select(OfferRow.person_id, func.count(), right)
        .where(OfferRow.gold_label.is_not(None), OfferRow.state == OfferState.ANSWERED)
        .group_by(OfferRow.person_id)
        .order_by(OfferRow.person_id)
    )
    return [GoldScore(*row) for row in rows]


def _upsert_offer(  # noqa: PLR0913, PLR0917 - one argument for each column
    unit: UnitOfWork,
    person_id: int,
    text_hash: bytes,
    prediction_id: int | None,
    gold_label: str | None,
    selection: Selection | None,
) -> int:
    shown = {
        "prediction_id": prediction_id,
        "gold_label": gold_label,
        "state": OfferState.SHOWN,
        "answer": None,
        "selection": selection,
        "created_at": unit.now(),
        "closed_at": None,
    }
    return unit.scalars(
        unit.insert(OfferRow)
        .values(person_id=person_id, text_hash=text_hash, **shown)
        .on_conflict_do_update(index_elements=[OfferRow.person_id, OfferRow.text_hash], set_=shown)
        .returning(OfferRow.id)
    ).one()


def _select_offers() -> Select[*tuple[Any, ...]]:
    return select(
        OfferRow.id,
        OfferRow.text_hash,
        OfferRow.prediction_id,
        OfferRow.gold_label,
        OfferRow.state,
        OfferRow.selection,
    )


def _one_offer(unit: UnitOfWork, offers: Select[*tuple[Any, ...]]) -> Offer | None:
    row = unit.execute(offers).one_or_none()
    return None if row is None else Offer(*row)
