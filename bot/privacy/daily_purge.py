"""Once a day, counts the messages of finished days and deletes data past its retention period, as /privacy promises."""

import logging
from datetime import UTC, datetime
from typing import Final

from bot.database import AsyncDatabase
from bot.polling import poll_every
from core.settings import Settings
from storage.privacy.retention import purge
from storage.statistics import COUNTED_DAYS, store_finished_days

logger = logging.getLogger(__name__)

_DAY_SECONDS: Final = 24 * 60 * 60.0


async def purge_daily(database: AsyncDatabase, settings: Settings) -> None:
    """Count and purge immediately and then once a day until cancelled."""

    async def work() -> None:
        await database.write(lambda unit: store_finished_days(unit, COUNTED_DAYS))
        purged = await database.write(
            lambda unit: purge(unit, datetime.now(UTC), settings.retention_days, settings.inbox_retention_days)
        )
        logger.info("Purged %s", purged)

    await poll_every(_DAY_SECONDS, work, "The daily purge failed")
