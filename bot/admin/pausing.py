"""`/pause` stops new training runs, and `/resume` allows them again. Free of Telegram types."""

from bot.database import AsyncDatabase
from bot.incoming import Incoming
from bot.sending.replies import MessageContent, send
from bot.texts import Texts, fill
from storage.db.database import UnitOfWork
from storage.training import learning_pauses, runs


class PauseDialog:
    """Pauses and resumes learning. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase) -> None:
        self._database = database

    async def pause(self, incoming: Incoming) -> None:
        """Keep training runs from starting until learning is resumed. A run that has already started continues."""

        def work(unit: UnitOfWork) -> None:
            texts = incoming.texts
            changed = learning_pauses.set_paused(unit, True, incoming.sender.telegram_id)
            lines = [texts.pause_done if changed else pause_line(unit, texts) or ""]
            run = runs.open_run(unit)
            if run is not None:
                lines.append(texts.pause_run_queued if run.started_at is None else texts.pause_run_goes_on)
            send(unit, incoming, MessageContent(" ".join(lines)))
            incoming.finish(unit)

        await self._database.write(work)

    async def resume(self, incoming: Incoming) -> None:
        """Allow training runs again."""

        def work(unit: UnitOfWork) -> None:
            changed = learning_pauses.set_paused(unit, False, incoming.sender.telegram_id)
            send(unit, incoming, MessageContent(incoming.texts.resume_done if changed else incoming.texts.not_paused))
            incoming.finish(unit)

        await self._database.write(work)


def pause_line(unit: UnitOfWork, texts: Texts) -> str | None:
    """Return an HTML line that says who paused learning and when, or None if it isn't paused."""
    newest = learning_pauses.newest_pauses(unit, 1)
    if not newest or not newest[0].paused:
        return None
    at = f"{newest[0].at:%Y-%m-%d %H:%M}"
    if newest[0].who is None:
        return fill(texts.learning_paused, at=at)
    return fill(texts.learning_paused_by, at=at, who=newest[0].who)
