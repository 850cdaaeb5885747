"""Which text a labeller sees next: the one whose label would help most.

Texts with a vote come first, since one more may settle them; then those that the model was least confident about.
Nobody sees a text of their own, one that they judged or skipped, one that is settled, one that was edited since, or
one whose last votes other people are about to give.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Select, distinct, exists, func, select
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import Consent, OfferState
from storage.db.tables import ConsentRow, MessageRow, OfferRow, PersonRow, PredictionRow, VoteRow
from storage.privacy.consent import TRAINING, consenting_people, withdrawn_people

# Stands for a vote of neither where votes are compared; no label is called so.
_NEITHER: Final = "Neither"
# Texts that are looked at together for one that may be shown.
_AT_ONCE: Final = 250
# Who has not answered after this has left the text lying, and others may see it.
_ANSWERS_WITHIN: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class LabelQueueRules:
    """Which texts need votes, and may be shown.

    ``quorum`` people have to agree, or one of ``admins``, who are Telegram ids. Authors allowed that others read their
    texts if they consented under the version ``wording`` of the question.
    """

    quorum: int
    admins: frozenset[int]
    wording: str


@dataclass(frozen=True, slots=True)
class QueuedText:
    """A text that needs a vote, with the prediction to give it under."""

    text_hash: bytes
    message_id: int
    prediction_id: int


def next_text(unit: UnitOfWork, person_id: int, need: LabelQueueRules) -> QueuedText | None:
    """Find the text that a vote of this person would help most, None when there is none."""
    showable = _showable(person_id, need).where(
        MessageRow.text_hash.not_in(_about_to_be_settled(person_id, need.quorum))
    )
    for useful in (_voted(need.quorum), _unvoted()):
        # In the order of use, some at a time: among many texts the first few nearly always hold one to show.
        with unit.scalars(useful.execution_options(yield_per=_AT_ONCE)) as found:
            for some in found.partitions():
                first = _first(unit, showable.where(PredictionRow.id.in_(some)))
                if first is not None:
                    return first
    return None


def find_queued(unit: UnitOfWork, person_id: int, need: LabelQueueRules, text_hash: bytes) -> QueuedText | None:
    """Find the text with this hash again, None when a vote of this person would not help any more."""
    this = MessageRow.text_hash == text_hash
    short = MessageRow.text_hash.in_(_short_of_votes(need.quorum).where(VoteRow.text_hash == text_hash))
    return _first(unit, _showable(person_id, need).where(this, short | ~_has_votes()))


def _first(unit: UnitOfWork, showable: Select[*tuple[Any, ...]]) -> QueuedText | None:
    row = unit.execute(showable.order_by(PredictionRow.confidence, PredictionRow.id).limit(1)).one_or_none()
    return None if row is None else QueuedText(row.text_hash, row.message_id, row.prediction_id)


def _voted(quorum: int) -> Select[int]:
    """Select the predictions under which the texts that are short of votes were judged, the most useful first."""
    short = _short_of_votes(quorum).add_columns(func.min(VoteRow.prediction_id).label("prediction_id")).subquery()
    judged = select(PredictionRow.id).join(short, short.c.prediction_id == PredictionRow.id)
    return judged.order_by(PredictionRow.confidence, PredictionRow.id)


def _unvoted() -> Select[int]:
    """Select the predictions of the texts that nobody judged, the most useful first."""
    read = select(PredictionRow.id).join(MessageRow, MessageRow.id == PredictionRow.message_id)
    return read.where(~_has_votes()).order_by(PredictionRow.confidence, PredictionRow.id)


def _showable(person_id: int, need: LabelQueueRules) -> Select[*tuple[Any, ...]]:
    """Select what may be shown to a person at all, whatever the votes on it."""
    same, newer = aliased(MessageRow), aliased(MessageRow)
    admins = select(PersonRow.id).where(
        PersonRow.telegram_id.in_(sorted(need.admins)), PersonRow.id.not_in(withdrawn_people())
    )
    return (
        select(MessageRow.text_hash, MessageRow.id.label("message_id"), PredictionRow.id.label("prediction_id"))
        .join(MessageRow, MessageRow.id == PredictionRow.message_id)
        .where(
            MessageRow.person_id.in_(_readable_authors(need.wording)),
            ~exists().where(same.text_hash == MessageRow.text_hash, same.person_id == person_id),
            ~exists().where(_on_this_text(), VoteRow.person_id == person_id),
            ~exists().where(_on_this_text(), VoteRow.person_id.in_(admins)),
            ~exists().where(
                OfferRow.text_hash == MessageRow.text_hash,
                OfferRow.person_id == person_id,
                OfferRow.state != OfferState.UNDONE,
            ),
            ~exists().where(newer.revises == MessageRow.id),
        )
    )


def _readable_authors(wording: str) -> Select[int]:
    newest = select(func.max(ConsentRow.id)).where(ConsentRow.scope == TRAINING).group_by(ConsentRow.person_id)
    granted = (ConsentRow.consent == Consent.GRANTED) & (ConsentRow.wording == wording)
    return select(ConsentRow.person_id).where(ConsentRow.id.in_(newest), granted)


def _short_of_votes(quorum: int) -> Select[bytes]:
    """Select the texts that people judged, all of them the same way, but too few people."""
    words = func.count(distinct(func.coalesce(VoteRow.label, _NEITHER)))
    return (
        select(VoteRow.text_hash)
        .where(VoteRow.person_id.in_(consenting_people()))
        .group_by(VoteRow.text_hash)
        .having(func.count() < quorum, words == 1)
    )


def _about_to_be_settled(person_id: int, quorum: int) -> Select[bytes]:
    """Select the texts that lack no more votes than there are other people who look at them now."""
    votes = select(func.count()).where(VoteRow.text_hash == OfferRow.text_hash)
    counted = votes.where(VoteRow.person_id.in_(consenting_people())).scalar_subquery()
    return (
        select(OfferRow.text_hash)
        .where(
            OfferRow.state == OfferState.SHOWN,
            OfferRow.person_id != person_id,
            OfferRow.created_at > utc_now() - _ANSWERS_WITHIN,
        )
        .group_by(OfferRow.text_hash)
        .having(func.count() + counted >= quorum)
    )


def _has_votes() -> ColumnElement[bool]:
    return exists().where(_on_this_text(), VoteRow.person_id.in_(consenting_people()))


def _on_this_text() -> ColumnElement[bool]:
    return VoteRow.text_hash == MessageRow.text_hash
