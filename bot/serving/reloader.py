"""Keeps the bot on the live model: polls the registry, loads new versions in the background, and swaps them in."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable
from typing import Final

from bot.database import AsyncDatabase
from bot.polling import poll_every
from bot.serving.live_model import LiveModel
from bot.serving.loader import LoadRefusal
from core.errors import ThumbsError
from ml.serving.engine import Classifier
from storage.db.outages import DATABASE_ERRORS
from storage.models import instances, registry
from storage.models.registry import ModelVersion

logger = logging.getLogger(__name__)

# Seconds between polls of the registry, and between heartbeats.
POLL_SECONDS: Final = 1.0
_HEARTBEAT_SECONDS: Final = 10.0
# Seconds to wait before another attempt if the artifact store could not be used.
STORE_RETRY_SECONDS: Final = 30.0


class ModelReloader:
    """Follows the registry's live version and reports in the database which version this bot instance serves.

    A refused version is not tried again until the live version changes. If the artifact store was the cause, the
    version is retried after a while. The old model stays in use in the meantime.
    """

    def __init__(
        self,
        database: AsyncDatabase,
        model: LiveModel,
        load: Callable[[ModelVersion], Classifier],
        refusal: LoadRefusal | None = None,
    ) -> None:
        self._database = database
        self._model = model
        self._load = load
        self._initial_refusal = refusal
        self._refused: ModelVersion | None = None
        self._retry_at: float | None = None
        if refusal is not None:
            self._note(refusal)
        self._acknowledged: str | None = None
        self._bot_id = 0
        self.process = f"{socket.gethostname()[:40]}:{os.getpid()}"

    async def start(self, bot_id: int) -> None:
        """Report the version that this bot instance serves and the version that it refused at start-up, if any."""
        self._bot_id = bot_id
        await self._acknowledge()
        if self._initial_refusal is not None:
            await self._report(self._initial_refusal)

    async def run(self) -> None:
        """Poll the registry until cancelled."""
        await poll_every(POLL_SECONDS, self.poll, "Could not read the model registry")

    async def send_heartbeats(self) -> None:
        """Write heartbeats until cancelled, even while a model is loading."""
        await poll_every(_HEARTBEAT_SECONDS, self._send_heartbeat, "Could not write the heartbeat")

    async def stop(self) -> None:
        """Deregister this bot instance."""
        try:
            await self._database.write(lambda unit: instances.deregister(unit, self.process))
        except DATABASE_ERRORS as error:
            logger.warning("Could not deregister this bot instance: %s", error)

    async def poll(self) -> None:
        """Swap to the live version unless this instance already serves it or has refused it."""
        if self._acknowledged != self._model.version:
            await self._acknowledge()  # retries after a database failure during the swap
        live = await self._database.read(registry.live_model)
        if live is None:
            return
        if self._refused is not None and not _same_files(live, self._refused):
            self._refused = None
            await self._database.write(lambda unit: instances.clear_refusal(unit, self.process))
        if live.version == self._model.version or not self._may_load(live):
            return
        try:
            classifier = await asyncio.to_thread(self._load, live)
        except ThumbsError as error:
            await self._refuse(LoadRefusal.of(live, error))
        else:
            await self._swap(classifier)

    async def _send_heartbeat(self) -> None:
        await self._database.write(lambda unit: instances.heartbeat(unit, self.process))

    def _may_load(self, live: ModelVersion) -> bool:
        if self._refused is None or not _same_files(live, self._refused):
            return True
        return self._retry_at is not None and time.monotonic() >= self._retry_at

    async def _swap(self, classifier: Classifier) -> None:
        previous = self._model.version
        await self._model.replace(classifier)
        self._refused = self._retry_at = None
        logger.info("Answering with model %s instead of %s", classifier.version, previous)
        await self._acknowledge()

    async def _acknowledge(self) -> None:
        version = self._model.version
        await self._database.write(lambda unit: instances.acknowledge(unit, self.process, self._bot_id, version))
        self._acknowledged = version

    async def _refuse(self, refusal: LoadRefusal) -> None:
        self._note(refusal)
        logger.warning("Still answering with model %s: %s", self._model.version, refusal.reason)
        await self._report(refusal)

    def _note(self, refusal: LoadRefusal) -> None:
        self._refused = refusal.model
        self._retry_at = time.monotonic() + STORE_RETRY_SECONDS if refusal.transient else None

    async def _report(self, refusal: LoadRefusal) -> None:
        version, reason = refusal.model.version, refusal.reason
        await self._database.write(lambda unit: instances.refuse(unit, self.process, version, reason))


def _same_files(one: ModelVersion, other: ModelVersion) -> bool:
    """Return whether two rows in the registry describe the same files."""
    fields = ("version", "manifest_sha256", "location")
    return all(getattr(one, name) == getattr(other, name) for name in fields)
