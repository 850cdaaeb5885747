"""The bot's metrics and health checks. Each scrape reads the state of the inbox and the outbox from the database."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from bot.connection.contact import TelegramContact
from broker.queues import broker_problem
from core.monitoring import Problems, counts_by_label
from core.settings import Settings
from storage.db.database import Database
from storage.overview import ChatOverview, chat_overview

# Maximum number of seconds that a single task may block the event loop.
_MAX_BLOCKED: Final = 5.0


class BotMonitor(Collector):
    """Reads a bot's metrics at each scrape, and checks the services that the bot depends on."""

    def __init__(
        self, settings: Settings, database: Database, version: Callable[[], str], contact: TelegramContact
    ) -> None:
        self._settings = settings
        self._database = database
        self._version = version
        self._contact = contact
        self._loop: asyncio.AbstractEventLoop | None = None
        # The token starts with the bot's id.
        self._bot_id = int(settings.token.partition(":")[0])

    def collect(self) -> Iterable[Metric]:
        """Yield the current metrics. If the database doesn't respond, yield only the metrics that don't need it."""
        found = self._overview()
        up = isinstance(found, ChatOverview)
        yield GaugeMetricFamily("thumbs_database_up", "1 if the database responds.", up)
        yield counts_by_label("thumbs_model", "1 for the version that the bot serves.", "version", {self._version(): 1})
        silent = self._contact.seconds_since_heard()
        if silent is not None:
            yield GaugeMetricFamily("thumbs_telegram_silence_seconds", "Seconds since Telegram last responded.", silent)
        if isinstance(found, ChatOverview):
            yield from _chat_metrics(found)

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering the collector does not read the database."""
        return ()

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let ``health`` check this event loop, which runs all of the bot's work."""
        self._loop = loop

    def health(self) -> Problems:
        """Check that the event loop is not blocked."""
        if self._loop is None:
            return {}
        turn = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop)
        try:
            turn.result(_MAX_BLOCKED)
        except TimeoutError:
            turn.cancel()
            return {"event loop": f"It has been blocked for more than {_MAX_BLOCKED:.0f} seconds."}
        return {"event loop": None}

    def ready(self) -> Problems:
        """Check the database, the broker and the connection to Telegram."""
        found = self._overview()
        return {
            "database": found if isinstance(found, str) else None,
            "broker": broker_problem(self._settings),
            "telegram": self._contact.problem(),
        }

    def _overview(self) -> ChatOverview | str:
        """Return the overview, or the reason why the database can't be read."""
        try:
            with self._database.reading() as unit:
                return chat_overview(unit, self._bot_id)
        except SQLAlchemyError as error:
            return f"It does not respond ({type(error).__name__})."


def _chat_metrics(found: ChatOverview) -> Iterable[Metric]:
    yield counts_by_label("thumbs_updates", "Updates in the inbox that haven't been purged.", "state", found.updates)
    yield counts_by_label("thumbs_replies", "Replies in the outbox that haven't been purged.", "state", found.replies)
    oldest = found.oldest_pending_update.timestamp() if found.oldest_pending_update else 0
    yield GaugeMetricFamily(
        "thumbs_oldest_update_seconds", "Unix time of the oldest pending update; 0 if none.", oldest
    )
    oldest = found.oldest_pending_reply.timestamp() if found.oldest_pending_reply else 0
    yield GaugeMetricFamily("thumbs_oldest_reply_seconds", "Unix time of the oldest pending reply; 0 if none.", oldest)
