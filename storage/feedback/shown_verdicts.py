"""The verdicts that people were shown, whether or not they voted on them, and what the votes on them say.

The gate uses them to estimate how likely a verdict is to get a vote. Verdicts on texts by people who do not consent are
only counted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Row, Select, exists, func, select
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement

from storage.db.database import UnitOfWork
from storage.db.states import OfferState, Selection
from storage.db.tables import MessagePartRow, MessageRow, OfferRow, PredictionRow, VoteRow
from storage.feedback.consensus import ConsensusState
from storage.feedback.eligibility import IMPORT_BOT_ID, VotedText, voted_texts
from storage.privacy.consent import consenting_people


@dataclass(frozen=True, slots=True)
class ShownVerdict:
    """A verdict that was shown to a consenting author, and the votes on the text.

    ``confidence`` is the probability (0 to 1) of ``label``. ``size`` is the size of the encrypted text in bytes, which
    grows with the text's length. ``asked`` is True if the bot asked whether the verdict was right.

    ``has_votes`` is True if any votes count, and ``usable`` is True if people agree on a label or an admin decided.
    ``agreed`` is the label that all votes so far support, or None. ``drawn`` is True if /label drew the text at random
    and a labeller answered. ``voted`` is True if the text is usable for reasons other than being drawn. ``by_admin`` is
    True if an admin decided.
    """

    message_id: int
    author_id: int
    label: str
    confidence: float
    size: int
    asked: bool = False
    has_votes: bool = False
    usable: bool = False
    agreed: str | None = None
    drawn: bool = False
    voted: bool = False
    by_admin: bool = False

    @property
    def mistake(self) -> bool | None:
        """Whether the verdict is wrong according to the votes, or None if that is not known."""
        return None if self.agreed is None else self.agreed != self.label


@dataclass(frozen=True, slots=True)
class ShownVerdicts:
    """All ``verdicts`` since a given time, and ``earlier`` ones with votes. Earlier ones without votes were deleted.

    ``without_consent`` is the number of verdicts since that time on texts by people who do not consent.
    ``voted_without_consent`` is the number of those verdicts that have votes.
    """

    verdicts: tuple[ShownVerdict, ...]
    earlier: tuple[ShownVerdict, ...] = ()
    without_consent: int = 0
    voted_without_consent: int = 0

    @property
    def voted_share(self) -> float | None:
        """The share of the verdicts, 0 to 1, that people voted on, or None if there are no verdicts."""
        total = len(self.verdicts) + self.without_consent
        voted = sum(verdict.has_votes for verdict in self.verdicts) + self.voted_without_consent
        return voted / total if total else None


def shown_verdicts(unit: UnitOfWork, since: datetime, quorum: int, admins: frozenset[int]) -> ShownVerdicts:
    """Return the verdicts that bots showed from ``since`` on, ordered by message, with the votes that count.

    ``admins`` are Telegram ids. There is one verdict for each text: the one that was voted on, otherwise the newest.
    Leave out verdicts that were replaced after an edit, and verdicts that were hidden behind the label that people
    agreed on.
    """
    voted = {text.text_hash: text for text in voted_texts(unit, quorum, admins)}
    answered = _answered_offers(unit)
    chosen: dict[bytes, Row[Any]] = {}
    for row in unit.execute(_shown(MessageRow.person_id.in_(consenting_people()))):
        text = voted.get(row.text_hash)
        if text is None or row.prediction_id == text.prediction_id:
            chosen[row.text_hash] = row
    rows = sorted(chosen.values(), key=lambda row: row.message_id)
    verdicts = [(row.created_at >= since, _verdict(row, voted.get(row.text_hash), answered)) for row in rows]
    without_consent, voted_without_consent = _counts_without_consent(unit, since)
    return ShownVerdicts(
        verdicts=tuple(verdict for recent, verdict in verdicts if recent),
        earlier=tuple(verdict for recent, verdict in verdicts if not recent and verdict.has_votes),
        without_consent=without_consent,
        voted_without_consent=voted_without_consent,
    )


def _shown(condition: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Select the verdicts that meet a condition, except those that were replaced and have no votes."""
    later = aliased(PredictionRow)
    size = select(func.sum(func.length(MessagePartRow.text), type_=Integer))
    is_voted = exists().where(VoteRow.prediction_id == PredictionRow.id)
    return (
        select(
            PredictionRow.id.label("prediction_id"),
            PredictionRow.label,
            PredictionRow.confidence,
            PredictionRow.question_chance.is_not(None).label("asked"),
            PredictionRow.created_at,
            MessageRow.id.label("message_id"),
            MessageRow.person_id.label("author_id"),
            MessageRow.text_hash,
            size.where(MessagePartRow.message_id == MessageRow.id).scalar_subquery().label("size"),
            is_voted.label("is_voted"),
        )
        .join(MessageRow, MessageRow.id == PredictionRow.message_id)
        .where(
            MessageRow.bot_id != IMPORT_BOT_ID,
            ~PredictionRow.corrected,
            is_voted | ~exists().where(later.replaces == PredictionRow.id),
            condition,
        )
        .order_by(PredictionRow.id)
    )


def _counts_without_consent(unit: UnitOfWork, since: datetime) -> tuple[int, int]:
    """Return the number of verdicts on texts by people who do not consent, and how many of them have votes."""
    other = MessageRow.person_id.not_in(consenting_people()) & (PredictionRow.created_at >= since)
    shown = _shown(other).subquery()
    total, voted = unit.execute(select(func.count(), func.count().filter(shown.c.is_voted)).select_from(shown)).one()
    return total, voted


_Offers = Mapping[tuple[bytes, int], Selection | None]


def _answered_offers(unit: UnitOfWork) -> _Offers:
    """Return how each text that a labeller answered was chosen, keyed by text hash and labeller."""
    rows = unit.execute(
        select(OfferRow.text_hash, OfferRow.person_id, OfferRow.selection).where(
            OfferRow.state == OfferState.ANSWERED, OfferRow.gold_label.is_(None)
        )
    )
    return {(row.text_hash, row.person_id): row.selection for row in rows}


def _verdict(row: Row[Any], text: VotedText | None, answered: _Offers) -> ShownVerdict:
    facts = (row.message_id, row.author_id, row.label, row.confidence, row.size, bool(row.asked))
    if text is None:
        return ShownVerdict(*facts)
    usable = text.consensus.state is ConsensusState.USABLE
    return ShownVerdict(
        *facts,
        has_votes=True,
        usable=usable,
        agreed=text.consensus.label if usable else _common_label(text),
        drawn=any(selection is Selection.RANDOM for selection in _selections(text, answered)),
        voted=usable and not _only_drawn(text, answered),
        by_admin=text.consensus.by_admin,
    )


def _common_label(text: VotedText) -> str | None:
    labels = {vote.label for vote in text.votes}
    return labels.pop() if len(labels) == 1 else None


def _selections(text: VotedText, answered: _Offers) -> Iterator[Selection | None]:
    """For each vote that answers an offer, yield how /label chose the text."""
    keys = ((text.text_hash, vote.person_id) for vote in text.votes)
    return (answered[key] for key in keys if key in answered)


def _only_drawn(text: VotedText, answered: _Offers) -> bool:
    """Return whether the text has votes only because it was drawn at random and its first vote led to the others."""
    if any((text.text_hash, vote.person_id) not in answered for vote in text.votes):
        return False
    first = min(text.votes, key=lambda vote: vote.at)
    return answered[text.text_hash, first.person_id] is Selection.RANDOM
