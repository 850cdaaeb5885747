"""The consent ledger. Lines are only ever added, and the newest one is in effect."""

from typing import Final

from sqlalchemy import Select, func, select
from sqlalchemy.sql import ColumnElement

from storage.db.database import UnitOfWork
from storage.db.states import Consent
from storage.db.tables import ConsentRow

# Scope for training: may the person's texts and votes be used to train a model?
TRAINING: Final = "training"
# Prefix of the scope for notifications, followed by the bot's id: may the bot notify the person of their corrections?
NOTICES: Final = "notices:"


def notification_scope(bot_id: int) -> str:
    """Return the scope for notifications by this bot.

    Consent is per bot, because Telegram lets a bot write only to people who have written to it.
    """
    return f"{NOTICES}{bot_id}"


def consent_of(unit: UnitOfWork, person_id: int, scope: str = TRAINING) -> Consent:
    """Return the person's current consent in a scope."""
    newest = (
        select(ConsentRow.consent)
        .where(ConsentRow.person_id == person_id, ConsentRow.scope == scope)
        .order_by(ConsentRow.id.desc())
        .limit(1)
    )
    return unit.scalar(newest) or Consent.NEVER_ASKED


def record_consent(unit: UnitOfWork, person_id: int, consent: Consent, wording: str, scope: str = TRAINING) -> None:
    """Add a line to the ledger. ``wording`` is the version of the question or command that the person saw."""
    if consent is Consent.NEVER_ASKED:
        raise ValueError("the ledger records events, and NEVER_ASKED is not an event")
    unit.add(ConsentRow(person_id=person_id, scope=scope, consent=consent, wording=wording))
    unit.flush()


def consenting_people() -> Select[int]:
    """Select the ids of the people whose texts and votes may be used for training."""
    return _with_newest_line(ConsentRow.consent == Consent.GRANTED)


def withdrawn_people() -> Select[int]:
    """Select the ids of the people who withdrew their consent."""
    return _with_newest_line(ConsentRow.consent == Consent.WITHDRAWN)


def _with_newest_line(condition: ColumnElement[bool]) -> Select[int]:
    newest = select(func.max(ConsentRow.id)).where(ConsentRow.scope == TRAINING).group_by(ConsentRow.person_id)
    return select(ConsentRow.person_id).where(ConsentRow.id.in_(newest), condition)
