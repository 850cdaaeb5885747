"""Notifies admins once a week if people's texts have begun to differ from the training data."""

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from typing import Final

from bot.admin.drift import Drift, read_drift
from bot.admin.drift_page import drift_content
from bot.database import AsyncDatabase
from bot.polling import poll_every
from bot.sending.outbox import Outbox
from bot.serving.live_model import LiveModel
from bot.texts import texts_for
from core.input_profile import InputProfile
from storage.chat import outbox as stored_outbox
from storage.chat import people, troubles
from storage.db.database import UnitOfWork

# Seconds between polls.
POLL_SECONDS: Final = 15 * 60.0


class DriftNotices:
    """Compares each finished week (Monday to Sunday, UTC) once. The database records which weeks were compared."""

    def __init__(
        self, database: AsyncDatabase, outbox: Outbox, model: LiveModel, bot_id: int, admin_ids: Collection[int]
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._model = model
        self._bot_id = bot_id
        self._admin_ids = admin_ids

    async def run(self) -> None:
        """Poll until cancelled."""
        await poll_every(POLL_SECONDS, self.poll, "Could not compare people's texts with the training data")

    async def poll(self) -> None:
        """Compare the last finished week, unless that was done, and notify the admins of any newly moved figure."""
        version, training = self._model.version, self._model.manifest.inputs
        found = await self._database.read(lambda unit: self._due(unit, version, training))
        if found is None:
            return
        drift, admins = found
        # A difference that lasts is reported only once.
        if not drift.moved() - drift.moved(1):
            await self._database.write(lambda unit: self._claim(unit, drift))
            return
        drafts = [
            (await drift_content(texts_for(language), drift)).draft(self._bot_id, admin_id)
            for admin_id, language in admins.items()
        ]

        def work(unit: UnitOfWork) -> None:
            if self._claim(unit, drift):
                for draft in drafts:
                    stored_outbox.enqueue(unit, draft)

        await self._database.write(work)
        for admin_id in admins:
            self._outbox.wake(admin_id)

    def _due(
        self, unit: UnitOfWork, version: str, training: InputProfile | None
    ) -> tuple[Drift, dict[int, str | None]] | None:
        """Return the drift up to the end of the last week and the admins, or None if it was compared or nobody asks."""
        monday = _last_monday(unit.now())
        admins = people.languages_of(unit, self._admin_ids)
        if not admins or troubles.reported(unit, self._bot_id, [_kind(monday)]):
            return None
        return read_drift(unit, version, training, monday), admins

    def _claim(self, unit: UnitOfWork, drift: Drift) -> bool:
        """Record that the week was compared, and return whether no other process has done so."""
        return troubles.claim_report(unit, self._bot_id, _kind(drift.ends[-1]))


def _last_monday(now: datetime) -> datetime:
    """Return the start of this week, in UTC."""
    today = now.astimezone(UTC).date()
    return datetime.combine(today - timedelta(days=today.weekday()), time.min, UTC)


def _kind(monday: datetime) -> str:
    return f"drift {monday.date().isoformat()}"
