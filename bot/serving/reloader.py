"""Keeps the bot on the live model: looks each second, loads beside the old one, swaps, and says so in the database."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from bot.database import AsyncDatabase
from bot.serving.live_model import LiveModel
from bot.serving.loader import LoadRefusal
from core.errors import ThumbsError
from ml.serving.engine import Classifier
from storage.errors import StorageError
from storage.models import instances, registry
from storage.models.registry import ModelVersion

logger = logging.getLogger(__name__)

# Seconds between two looks at the registry, and between two signs of life.
LOOK_EVERY: Final = 1.0
_BEAT_EVERY: Final = 10.0
# Seconds before a store that could not be used is asked again.
ASK_STORE_AGAIN: Final = 30.0


class ModelReloader:
    """Follows the registry's live row.

    A version that is refused is not tried again until the row changes; one whose store did not answer is, after a
    while. Meanwhile the old model goes on answering.
    """

    def __init__(
        self,
        store: AsyncDatabase,
        model: LiveModel,
        load: Callable[[ModelVersion], Classifier],
        refusal: LoadRefusal | None = None,
    ) -> None:
        self._store = store
        self._model = model
        self._load = load
        self._refusal = refusal
        self._refused = refusal.model if refusal else None
        self._again_at = time.monotonic() + ASK_STORE_AGAIN if refusal and refusal.passing else None
        self._said: str | None = None
        self._bot_id = 0
        self.process = f"{socket.gethostname()[:40]}:{os.getpid()}"

    async def start(self, bot_id: int) -> None:
        """Say which version answers in this process."""
        self._bot_id = bot_id
        await self._acknowledge()
        if self._refusal is not None:
            version, reason = self._refusal.model.version, self._refusal.reason
            await self._store.write(lambda unit: instances.refuse(unit, self.process, version, reason))

    async def run(self) -> None:
        """Look each second, until cancelled."""
        while True:
            try:
                await self.poll()
            except (SQLAlchemyError, StorageError):
                logger.exception("The registry of models cannot be read now")
            await asyncio.sleep(LOOK_EVERY)

    async def send_heartbeats(self) -> None:
        """Say every few seconds that this process is there, also while a model is loaded, until cancelled."""
        while True:
            await asyncio.sleep(_BEAT_EVERY)
            try:
                await self._store.write(lambda unit: instances.heartbeat(unit, self.process))
            except (SQLAlchemyError, StorageError):
                logger.exception("The sign of life could not be written")

    async def stop(self) -> None:
        """Say that this process answers no more."""
        try:
            await self._store.write(lambda unit: instances.deregister(unit, self.process))
        except (SQLAlchemyError, StorageError) as error:
            logger.warning("It could not be said that this bot ends: %s", error)

    async def poll(self) -> None:
        """Take the live version when it is another than the one that answers, unless it was refused."""
        if self._said != self._model.version:
            await self._acknowledge()  # the database did not take it when the model was swapped
        live = await self._store.read(registry.live_model)
        if live is None:
            return
        if self._refused is not None and not _same(live, self._refused):
            self._refused = None
            await self._store.write(lambda unit: instances.clear_refusal(unit, self.process))
        if live.version == self._model.version or not self._may_try(live):
            return
        try:
            classifier = await asyncio.to_thread(self._load, live)
        except StorageError as error:
            await self._refuse(live, str(error), time.monotonic() + ASK_STORE_AGAIN)
        except ThumbsError as error:
            await self._refuse(live, str(error), None)
        # Whatever else a broken model brings about, the old one has to go on.
        except Exception as error:
            logger.exception("Model %s broke while it was loaded", live.version)
            reason = f"The model {live.version} is refused: it broke while it was loaded ({type(error).__name__})."
            await self._refuse(live, reason, None)
        else:
            await self._swap(classifier)

    def _may_try(self, live: ModelVersion) -> bool:
        if self._refused is None or not _same(live, self._refused):
            return True
        return self._again_at is not None and time.monotonic() >= self._again_at

    async def _swap(self, classifier: Classifier) -> None:
        before = self._model.version
        await self._model.replace(classifier)
        self._refused = self._again_at = None
        logger.info("Answering with model %s instead of %s", classifier.version, before)
        await self._acknowledge()

    async def _acknowledge(self) -> None:
        version = self._model.version
        await self._store.write(lambda unit: instances.acknowledge(unit, self.process, self._bot_id, version))
        self._said = version

    async def _refuse(self, model: ModelVersion, reason: str, again_at: float | None) -> None:
        self._refused, self._again_at = model, again_at
        logger.warning("Answering with model %s as before: %s", self._model.version, reason)
        await self._store.write(lambda unit: instances.refuse(unit, self.process, model.version, reason))


def _same(one: ModelVersion, other: ModelVersion) -> bool:
    """Whether two readings of the registry name the same files."""
    named = ("version", "manifest_sha256", "location")
    return all(getattr(one, name) == getattr(other, name) for name in named)
