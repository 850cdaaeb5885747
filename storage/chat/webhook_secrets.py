"""Each bot's webhook secret, shared by all its processes and kept across restarts."""

import secrets

from sqlalchemy import delete, select

from storage.db.database import UnitOfWork
from storage.db.tables import BotRow


def webhook_secret(unit: UnitOfWork, bot_id: int) -> str | None:
    """Return the bot's secret, or None if this database has no webhook for the bot."""
    stored = unit.scalar(select(BotRow.webhook_secret).where(BotRow.bot_id == bot_id))
    return None if stored is None else unit.cipher.decrypt(stored)


def share_webhook_secret(unit: UnitOfWork, bot_id: int, given: str | None) -> str:
    """Store and return ``given``. If it is None, return the stored secret, creating one if needed."""
    secret = unit.cipher.encrypt(given or secrets.token_urlsafe(32))
    row = unit.insert(BotRow).values(bot_id=bot_id, webhook_secret=secret)
    key = [BotRow.bot_id]
    if given is None:
        unit.execute(row.on_conflict_do_nothing(index_elements=key))
    else:
        unit.execute(row.on_conflict_do_update(index_elements=key, set_={"webhook_secret": secret}))
    stored = unit.scalars(select(BotRow.webhook_secret).where(BotRow.bot_id == bot_id)).one()
    return unit.cipher.decrypt(stored)


def forget_webhook_secret(unit: UnitOfWork, bot_id: int) -> None:
    """Delete the bot's secret, because the bot no longer has a webhook."""
    unit.change(delete(BotRow).where(BotRow.bot_id == bot_id))
