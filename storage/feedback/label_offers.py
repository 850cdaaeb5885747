"""What was shown to labellers, one row a person and text, and what they made of it.

An answer to somebody's text is also a judgement, which counts; an answer to a gold question, whose label is known, is
only kept here, and never trains.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, func, select, update

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import OfferState
from storage.db.tables import OfferRow
from storage.feedback.label_queue import QueuedText


@dataclass(frozen=True, slots=True)
class Offer:
    """A text that was shown to a person: somebody's, by ``prediction_id``, or a gold question with ``gold_label``."""

    id: int
    text_hash: bytes
    prediction_id: int | None
    gold_label: str | None
    state: OfferState


@dataclass(frozen=True, slots=True)
class GoldScore:
    """How many gold questions a person answered, and how many of them with the known label."""

    person_id: int
    answered: int
    right: int


def offer_text(unit: UnitOfWork, person_id: int, waiting: QueuedText) -> int:
    """Note that a person is shown somebody's text; the offer's id."""
    return _offer(unit, person_id, waiting.text_hash, waiting.prediction_id, None)


def offer_gold(unit: UnitOfWork, person_id: int, text: str, label: str) -> int:
    """Note that a person is shown a gold question with a known label; the offer's id."""
    return _offer(unit, person_id, unit.cipher.fingerprint(text), None, label)


def find_offer(unit: UnitOfWork, person_id: int, offer_id: int) -> Offer | None:
    """Find an offer to this person, None when there is none (any more), or it is another's."""
    return _first(unit, _offers().where(OfferRow.id == offer_id, OfferRow.person_id == person_id))


def last_closed_offer(unit: UnitOfWork, person_id: int) -> Offer | None:
    """The offer that the person answered or skipped last: what they may undo."""
    closed = OfferRow.state.in_([OfferState.ANSWERED, OfferState.SKIPPED])
    newest_first = (OfferRow.created_at.desc(), OfferRow.id.desc())
    return _first(unit, _offers().where(OfferRow.person_id == person_id, closed).order_by(*newest_first).limit(1))


def close_offer(unit: UnitOfWork, offer: Offer, state: OfferState, answer: str | None = None) -> bool:
    """Bring an offer from the state that it was found in to another; False when it is not in that state any more."""
    met = OfferRow.id == offer.id, OfferRow.state == offer.state
    return unit.change(update(OfferRow).where(*met).values(state=state, answer=answer)) == 1


def clear_shown(unit: UnitOfWork, person_id: int) -> None:
    """Take back what the person was shown and did not answer; it may be offered again."""
    unit.change(delete(OfferRow).where(OfferRow.person_id == person_id, OfferRow.state == OfferState.SHOWN))


def count_offers(unit: UnitOfWork, person_id: int) -> int:
    """How many texts and gold questions the person was shown and did not let go."""
    return unit.scalars(select(func.count()).where(OfferRow.person_id == person_id)).one()


def offered_gold(unit: UnitOfWork, person_id: int) -> frozenset[bytes]:
    """The hashes of the gold questions that the person was shown."""
    gold = OfferRow.gold_label.is_not(None)
    return frozenset(unit.scalars(select(OfferRow.text_hash).where(OfferRow.person_id == person_id, gold)))


def gold_scores(unit: UnitOfWork) -> list[GoldScore]:
    """How well everybody answered gold questions who answered one, by the person's id."""
    right = func.count().filter(OfferRow.answer == OfferRow.gold_label)
    rows = unit.execute(
        select(OfferRow.person_id, func.count(), right)
        .where(OfferRow.gold_label.is_not(None), OfferRow.state == OfferState.ANSWERED)
        .group_by(OfferRow.person_id)
        .order_by(OfferRow.person_id)
    )
    return [GoldScore(*row) for row in rows]


def _offer(
    unit: UnitOfWork, person_id: int, text_hash: bytes, prediction_id: int | None, gold_label: str | None
) -> int:
    shown = {
        "prediction_id": prediction_id,
        "gold_label": gold_label,
        "state": OfferState.SHOWN,
        "answer": None,
        "created_at": utc_now(),
    }
    return unit.scalars(
        unit.insert(OfferRow)
        .values(person_id=person_id, text_hash=text_hash, **shown)
        .on_conflict_do_update(index_elements=[OfferRow.person_id, OfferRow.text_hash], set_=shown)
        .returning(OfferRow.id)
    ).one()


def _offers() -> Select[*tuple[Any, ...]]:
    return select(OfferRow.id, OfferRow.text_hash, OfferRow.prediction_id, OfferRow.gold_label, OfferRow.state)


def _first(unit: UnitOfWork, offers: Select[*tuple[Any, ...]]) -> Offer | None:
    row = unit.execute(offers).one_or_none()
    return None if row is None else Offer(*row)
