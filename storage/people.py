"""People: who they are, what they allow, and their deletion."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, or_, select, update

from storage.columns import utc_now
from storage.database import Unit
from storage.tables import (
    Consent,
    ConsentRow,
    FollowerRow,
    JudgementRow,
    MessageRow,
    ModelChangeRow,
    PersonRow,
    PredictionRow,
    ReplyRow,
    RunRow,
    UpdateRow,
    UpdateState,
)

__all__ = [
    "NOTICES",
    "TRAINING",
    "Consent",
    "Erased",
    "Person",
    "consent_of",
    "erase",
    "find",
    "meet",
    "notices_from",
    "record_consent",
]

# The scope of the ledger's lines: may texts and judgements train a model?
TRAINING: Final = "training"
# The beginning of the scope: may a bot write, unasked, what became of corrections? Its id follows.
NOTICES: Final = "notices:"


@dataclass(frozen=True, slots=True)
class Person:
    """A Telegram user; ``language`` is the tag that their app sent, if any."""

    id: int
    telegram_id: int
    name: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows of each kind went; ``updates`` lost their content and keep their ids."""

    people: int
    consents: int
    messages: int
    predictions: int
    judgements: int
    replies: int
    updates: int


def meet(unit: Unit, telegram_id: int, name: str, language: str | None) -> Person:
    """Find or add the person with this Telegram id, under the name and language that they have now."""
    now_called = {"name": unit.cipher.encrypt(name), "language": language}
    person_id = unit.scalars(
        unit.insert(PersonRow)
        .values(telegram_id=telegram_id, **now_called)
        .on_conflict_do_update(index_elements=[PersonRow.telegram_id], set_=now_called)
        .returning(PersonRow.id)
    ).one()
    return Person(person_id, telegram_id, name, language)


def find(unit: Unit, telegram_id: int) -> int | None:
    """The id of the person with this Telegram id, None when nobody has it."""
    return unit.scalar(select(PersonRow.id).where(PersonRow.telegram_id == telegram_id))


def notices_from(bot_id: int) -> str:
    """The scope of notices from this bot, which alone sends them: Telegram lets a bot write only to who wrote to it."""
    return f"{NOTICES}{bot_id}"


def consent_of(unit: Unit, person_id: int, scope: str = TRAINING) -> Consent:
    """Read the newest line of the person's ledger in a scope."""
    newest = (
        select(ConsentRow.consent)
        .where(ConsentRow.person_id == person_id, ConsentRow.scope == scope)
        .order_by(ConsentRow.id.desc())
        .limit(1)
    )
    return unit.scalar(newest) or Consent.NEVER_ASKED


def record_consent(unit: Unit, person_id: int, consent: Consent, wording: str, scope: str = TRAINING) -> None:
    """Add a line to the ledger; ``wording`` names the version of the question or command that the person saw."""
    if consent is Consent.NEVER_ASKED:
        raise ValueError("the ledger records events; never having been asked is none")
    unit.add(ConsentRow(person_id=person_id, scope=scope, consent=consent, wording=wording))
    unit.flush()


def erase(unit: Unit, telegram_id: int) -> Erased:
    """Delete everything that came from, or went to, the person with this Telegram id, and the person.

    Of their updates the ids stay, bare, so that a second copy of one is still dropped. A private chat has the
    person's own id as its chat id, so replies in it go even when they name no person. Judgements of other people
    on the person's texts go with the texts, and offers to label go with the person. Training runs and changes of the
    model forget that they were theirs.
    """
    person_id = select(PersonRow.id).where(PersonRow.telegram_id == telegram_id).scalar_subquery()
    messages = select(MessageRow.id).where(MessageRow.person_id == person_id)
    predictions = select(PredictionRow.id).where(PredictionRow.message_id.in_(messages))
    on_their_texts = JudgementRow.prediction_id.in_(predictions)
    to_them = or_(
        ReplyRow.person_id == person_id, ReplyRow.chat_id == telegram_id, ReplyRow.prediction_id.in_(predictions)
    )
    _forget_admin(unit, telegram_id)
    return Erased(
        judgements=unit.change(delete(JudgementRow).where(or_(JudgementRow.person_id == person_id, on_their_texts))),
        replies=unit.change(delete(ReplyRow).where(to_them)),
        predictions=unit.change(delete(PredictionRow).where(PredictionRow.message_id.in_(messages))),
        messages=unit.change(delete(MessageRow).where(MessageRow.person_id == person_id)),
        consents=unit.change(delete(ConsentRow).where(ConsentRow.person_id == person_id)),
        updates=_empty_updates(unit, telegram_id),
        people=unit.change(delete(PersonRow).where(PersonRow.telegram_id == telegram_id)),
    )


def _forget_admin(unit: Unit, telegram_id: int) -> None:
    unit.change(delete(FollowerRow).where(FollowerRow.chat_id == telegram_id))
    unit.change(update(RunRow).where(RunRow.requested_by == telegram_id).values(requested_by=None))
    unit.change(update(ModelChangeRow).where(ModelChangeRow.who == telegram_id).values(who=None))


def _empty_updates(unit: Unit, telegram_id: int) -> int:
    theirs = UpdateRow.telegram_id == telegram_id
    erased = {"state": UpdateState.ERASED, "finished_at": utc_now()}
    unit.change(update(UpdateRow).where(theirs, UpdateRow.state == UpdateState.RECEIVED).values(erased))
    return unit.change(update(UpdateRow).where(theirs).values(telegram_id=None, payload=None, reason=None))
