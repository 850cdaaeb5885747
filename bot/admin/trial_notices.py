"""Notifies admins when a model goes on trial and when the trial ends."""

from datetime import timedelta
from typing import Final

from bot.database import AsyncDatabase
from bot.formatting import REASON_LENGTH, truncate
from bot.polling import poll_every
from bot.sending.troubles import Troubles
from storage.db.database import UnitOfWork
from storage.db.states import TrialState
from storage.models import trials
from storage.models.trials import Trial

# Seconds between polls.
POLL_SECONDS: Final = 1.0
# How long after an event admins may still be notified of it.
_MAX_AGE: Final = timedelta(days=1)
# Number of newest trials to check in a poll.
_NEWEST: Final = 5


class TrialNotices:
    """Enqueues the notices. The database records which notices a bot's admins have received."""

    def __init__(self, database: AsyncDatabase, troubles: Troubles) -> None:
        self._database = database
        self._troubles = troubles

    async def run(self) -> None:
        """Poll until cancelled."""
        await poll_every(POLL_SECONDS, self.poll, "Could not notify admins of a trial")

    async def poll(self) -> None:
        """Notify the admins of each trial that started or ended, unless they already know about it."""
        if await self._database.read(self._unreported):
            self._troubles.wake(await self._database.write(self._enqueue))

    def _unreported(self, unit: UnitOfWork) -> list[Trial]:
        """Return the trials that recently started or ended and were not reported, if there are admins to notify."""
        since = unit.now() - _MAX_AGE
        recent = [trial for trial in trials.trials(unit, _NEWEST) if (trial.ended_at or trial.started_at) >= since]
        unknown = self._troubles.unreported(unit, [_kind(trial) for trial in recent])
        return [trial for trial in recent if _kind(trial) in unknown]

    def _enqueue(self, unit: UnitOfWork) -> set[int]:
        """Enqueue the notices and return the ids of the chats they go to."""
        chats: set[int] = set()
        for trial in reversed(self._unreported(unit)):
            text = "trial_started" if trial.state is TrialState.RUNNING else f"trial_{trial.state}"
            why = truncate(trial.reason, REASON_LENGTH)
            values = {"version": trial.version, "champion": trial.champion, "why": why}
            chats.update(self._troubles.enqueue(unit, _kind(trial), text, **values))
        return chats


def _kind(trial: Trial) -> str:
    return f"trial {trial.id} {trial.state}"
