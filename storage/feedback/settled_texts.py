"""Finds users' texts with a settled label, which serve as gold questions."""

from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import aliased

from storage.chat.messages import get_texts
from storage.db.database import UnitOfWork
from storage.db.tables import MessageRow, OfferRow, PersonRow, PredictionRow, VoteRow
from storage.feedback.label_queue import LabelQueueRules, readable_authors
from storage.privacy.consent import withdrawn_people


@dataclass(frozen=True, slots=True)
class SettledText:
    """A user's text, a prediction for it, and the label that an admin gave it."""

    text: str
    label: str
    prediction_id: int


def draw_settled(unit: UnitOfWork, person_id: int, rules: LabelQueueRules) -> SettledText | None:
    """Draw a text that every admin who voted on it gave the same label, or return None if there is none.

    The person has never written this text, voted on it or been offered it, and its author lets others read it.
    """
    same, newer, other = aliased(MessageRow), aliased(MessageRow), aliased(VoteRow)
    admins = select(PersonRow.id).where(
        PersonRow.telegram_id.in_(sorted(rules.admins)), PersonRow.id.not_in(withdrawn_people())
    )
    differs = other.label.is_(None) | (other.label != VoteRow.label)
    texts = (
        select(MessageRow.id, VoteRow.label, PredictionRow.id.label("prediction_id"))
        .join(PredictionRow, PredictionRow.id == VoteRow.prediction_id)
        .join(MessageRow, MessageRow.id == PredictionRow.message_id)
        .where(
            VoteRow.person_id.in_(admins),
            VoteRow.label.is_not(None),
            VoteRow.text_hash == MessageRow.text_hash,
            MessageRow.person_id.in_(readable_authors(rules.wording)),
            ~exists().where(other.text_hash == VoteRow.text_hash, other.person_id.in_(admins), differs),
            ~exists().where(other.text_hash == VoteRow.text_hash, other.person_id == person_id),
            ~exists().where(same.text_hash == VoteRow.text_hash, same.person_id == person_id),
            ~exists().where(OfferRow.text_hash == VoteRow.text_hash, OfferRow.person_id == person_id),
            ~exists().where(newer.revises == MessageRow.id),
        )
    )
    row = unit.execute(texts.order_by(func.random()).limit(1)).one_or_none()
    if row is None:
        return None
    return SettledText(get_texts(unit, [row.id])[row.id], str(row.label), row.prediction_id)
