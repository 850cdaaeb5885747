"""Chooses the next text for a labeller: the text that a vote would help most, or a random text.

A vote helps most on texts that already have votes, because it may reach the quorum. Next come the texts with the least
confident predictions. Random texts show how well models do on all texts. Labellers never see their own texts, or texts
that they voted on or skipped. Nor do they see texts that don't read like a review, texts that are decided or have since
been edited, or texts that enough other labellers are already looking at to reach the quorum.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, distinct, exists, func, select, union_all
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement

from storage.db.database import UnitOfWork
from storage.db.states import Abstention, Consent, OfferState, Selection
from storage.db.tables import ConsentRow, MessageRow, OfferRow, PersonRow, PredictionRow, VoteRow
from storage.feedback.consensus import NEITHER
from storage.feedback.labeller_pauses import counted_voters
from storage.privacy.consent import TRAINING, withdrawn_people

# Number of candidate texts to check at a time.
_CHUNK: Final = 250
# Time after which an unanswered offer no longer reserves its text.
_OFFER_TIMEOUT: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class LabelQueueRules:
    """The rules that decide which texts need votes and may be shown to labellers.

    A text is decided when ``quorum`` people agree or when one of ``admins`` (Telegram ids) has voted. Authors let
    others read their texts by consenting to the version of the question named in ``wording``.
    """

    quorum: int
    admins: frozenset[int]
    wording: str


@dataclass(frozen=True, slots=True)
class QueuedText:
    """A text that needs a vote, with the prediction to vote on, and how the text was chosen."""

    text_hash: bytes
    message_id: int
    prediction_id: int
    selection: Selection


def next_text(
    unit: UnitOfWork, person_id: int, rules: LabelQueueRules, selection: Selection = Selection.LEAST_SURE
) -> QueuedText | None:
    """Return the next text for this person, or None if no text needs a vote.

    LEAST_SURE chooses the text that a vote would help most. RANDOM gives the same chance to every prediction whose text
    needs votes and may be shown to the person.
    """
    showable = _showable(person_id, rules).where(
        MessageRow.text_hash.not_in(_fully_reserved(person_id, rules.quorum, unit.now()))
    )
    sources = {Selection.LEAST_SURE: (_voted(rules.quorum), _unvoted()), Selection.RANDOM: (_shuffled(rules.quorum),)}
    for source in sources[selection]:
        # Check the predictions in chunks. The first chunk nearly always contains a text that may be shown.
        with unit.scalars(source.execution_options(yield_per=_CHUNK)) as predictions:
            for chunk in predictions.partitions():
                first = _first(unit, showable.where(PredictionRow.id.in_(chunk)), selection)
                if first is not None:
                    return first
    return None


def find_queued(
    unit: UnitOfWork, person_id: int, rules: LabelQueueRules, text_hash: bytes, selection: Selection
) -> QueuedText | None:
    """Return the text with this hash, or None if this person's vote would no longer help."""
    same_text = MessageRow.text_hash == text_hash
    short = MessageRow.text_hash.in_(_short_of_votes(rules.quorum).where(VoteRow.text_hash == text_hash))
    return _first(unit, _showable(person_id, rules).where(same_text, short | ~_has_votes()), selection)


def _first(unit: UnitOfWork, showable: Select[*tuple[Any, ...]], selection: Selection) -> QueuedText | None:
    order = (func.random(),) if selection is Selection.RANDOM else (PredictionRow.confidence, PredictionRow.id)
    row = unit.execute(showable.order_by(*order).limit(1)).one_or_none()
    return None if row is None else QueuedText(row.text_hash, row.message_id, row.prediction_id, selection)


def _voted(quorum: int) -> Select[int]:
    """Select predictions with votes, for texts that need more votes, most useful first."""
    short = _short_of_votes(quorum).add_columns(func.min(VoteRow.prediction_id).label("prediction_id")).subquery()
    voted = select(PredictionRow.id).join(short, short.c.prediction_id == PredictionRow.id)
    return voted.order_by(PredictionRow.confidence, PredictionRow.id)


def _unvoted() -> Select[int]:
    """Select the predictions for texts without votes, most useful first."""
    predictions = select(PredictionRow.id).join(MessageRow, MessageRow.id == PredictionRow.message_id)
    return predictions.where(~_has_votes()).order_by(PredictionRow.confidence, PredictionRow.id)


def _shuffled(quorum: int) -> Select[int]:
    """Select the predictions for all texts that need more votes, in random order."""
    predictions = select(PredictionRow.id).join(MessageRow, MessageRow.id == PredictionRow.message_id)
    voted = predictions.where(MessageRow.text_hash.in_(_short_of_votes(quorum)))
    # Two selections are much faster than one with "or", which PostgreSQL cannot turn into joins.
    either = union_all(voted, predictions.where(~_has_votes())).subquery()
    return select(either.c.id).order_by(func.random())


def _showable(person_id: int, rules: LabelQueueRules) -> Select[*tuple[Any, ...]]:
    """Select the texts that may be shown to a person, regardless of how many votes they still need."""
    same, newer = aliased(MessageRow), aliased(MessageRow)
    admins = select(PersonRow.id).where(
        PersonRow.telegram_id.in_(sorted(rules.admins)), PersonRow.id.not_in(withdrawn_people())
    )
    return (
        select(MessageRow.text_hash, MessageRow.id.label("message_id"), PredictionRow.id.label("prediction_id"))
        .join(MessageRow, MessageRow.id == PredictionRow.message_id)
        .where(
            MessageRow.person_id.in_(readable_authors(rules.wording)),
            ~exists().where(same.text_hash == MessageRow.text_hash, same.person_id == person_id),
            ~exists().where(_on_same_text(), VoteRow.person_id == person_id),
            ~exists().where(_on_same_text(), VoteRow.person_id.in_(admins)),
            ~exists().where(
                OfferRow.text_hash == MessageRow.text_hash,
                OfferRow.person_id == person_id,
                OfferRow.state != OfferState.UNDONE,
            ),
            ~exists().where(newer.revises == MessageRow.id),
            PredictionRow.abstention.is_distinct_from(Abstention.SHOWN),
        )
    )


def readable_authors(wording: str) -> Select[int]:
    """Select the people who let others read their texts by consenting to this version of the question."""
    newest = select(func.max(ConsentRow.id)).where(ConsentRow.scope == TRAINING).group_by(ConsentRow.person_id)
    granted = (ConsentRow.consent == Consent.GRANTED) & (ConsentRow.wording == wording)
    return select(ConsentRow.person_id).where(ConsentRow.id.in_(newest), granted)


def _short_of_votes(quorum: int) -> Select[bytes]:
    """Select the texts that have fewer votes than the quorum, all in agreement."""
    distinct_votes = func.count(distinct(func.coalesce(VoteRow.label, NEITHER)))
    return (
        select(VoteRow.text_hash)
        .where(VoteRow.person_id.in_(counted_voters()))
        .group_by(VoteRow.text_hash)
        .having(func.count() < quorum, distinct_votes == 1)
    )


def _fully_reserved(person_id: int, quorum: int, now: datetime) -> Select[bytes]:
    """Select the texts that enough other labellers are already looking at to reach the quorum."""
    votes = select(func.count()).where(VoteRow.text_hash == OfferRow.text_hash)
    counted = votes.where(VoteRow.person_id.in_(counted_voters())).scalar_subquery()
    return (
        select(OfferRow.text_hash)
        .where(
            OfferRow.state == OfferState.SHOWN,
            OfferRow.person_id != person_id,
            OfferRow.created_at > now - _OFFER_TIMEOUT,
        )
        .group_by(OfferRow.text_hash)
        .having(func.count() + counted >= quorum)
    )


def _has_votes() -> ColumnElement[bool]:
    return exists().where(_on_same_text(), VoteRow.person_id.in_(counted_voters()))


def _on_same_text() -> ColumnElement[bool]:
    return VoteRow.text_hash == MessageRow.text_hash
