"""``/stats`` sends figures as a picture, and ``/export`` sends all votes as a file. Free of Telegram types."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from bot.database import AsyncDatabase
from bot.incoming import Incoming
from bot.pictures.child import draw
from bot.sending.replies import MessageContent, send
from bot.texts import Texts, fill
from storage import statistics
from storage.db.database import UnitOfWork

# Maximum number of model versions in the picture.
_MAX_VERSIONS: Final = 8


class StatisticsPage:
    """Figures and files for admins. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase) -> None:
        self._database = database

    async def show(self, incoming: Incoming) -> None:
        """Send a picture that shows the last few days and how often people agreed with each model version."""
        figures = await self._database.read(read_figures)
        png = await draw("statistics", figures)

        def work(unit: UnitOfWork) -> None:
            send(unit, incoming, MessageContent(_caption(incoming.texts, figures), photo=png))
            incoming.finish(unit)

        await self._database.write(work)

    async def export(self, incoming: Incoming) -> None:
        """Send all votes as a CSV file. The outbox reads the votes when it sends the file."""
        name = f"votes-{datetime.now(UTC):%Y-%m-%d}.csv"

        def work(unit: UnitOfWork) -> None:
            send(unit, incoming, MessageContent(incoming.texts.export_caption, votes_file=name))
            incoming.finish(unit)

        await self._database.write(work)


def read_figures(unit: UnitOfWork) -> dict[str, Any]:
    """Return the picture's figures as values that can be serialised to JSON."""
    days = statistics.daily_figures(unit, statistics.COUNTED_DAYS)
    agreement = statistics.agreement(unit)[:_MAX_VERSIONS]
    return {
        "days": [{**asdict(day), "day": day.day.isoformat()} for day in days],
        "people": statistics.count_people(unit),
        "agreement": [{**asdict(version), "share": version.share} for version in agreement],
    }


def _caption(texts: Texts, figures: dict[str, Any]) -> str:
    days = figures["days"]
    messages = sum(day["messages"] for day in days)
    return fill(
        texts.stats_caption,
        days=len(days),
        messages=f"{messages:,}",
        people=f"{figures['people']:,}",
        today=f"{days[-1]['messages']:,}",
    )
