"""Keeps the promise of /privacy: once a day, what has been kept long enough goes."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from bot.database import AsyncDatabase
from core.settings import Settings
from storage.errors import StorageError
from storage.privacy.retention import purge

logger = logging.getLogger(__name__)

_DAY: Final = 24 * 60 * 60.0


async def purge_daily(store: AsyncDatabase, settings: Settings) -> None:
    """Purge now and every day from now on, until cancelled."""
    while True:
        try:
            gone = await store.write(
                lambda unit: purge(unit, datetime.now(UTC), settings.retention_days, settings.inbox_retention_days)
            )
            logger.info("Purged %s", gone)
        except (SQLAlchemyError, StorageError):
            logger.exception("Nothing could be purged today")
        await asyncio.sleep(_DAY)
