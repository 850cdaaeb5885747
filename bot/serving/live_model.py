"""The model that answers, and its replacement while texts keep coming."""

import asyncio
from typing import Final

from ml.serving.artifact import Manifest
from ml.serving.batcher import Batcher
from ml.serving.engine import BATCH_TOKENS, Classifier, Verdict

# English has about four characters per token, so this is about one batch of the engine.
_BATCH_CHARACTERS: Final = 4 * BATCH_TOKENS


class _ServedModel:
    """A classifier and the thread that runs it."""

    def __init__(self, classifier: Classifier) -> None:
        self.manifest = classifier.manifest
        self.batcher: Batcher[Verdict] = Batcher(classifier.classify, _BATCH_CHARACTERS)


class LiveModel:
    """Verdicts from one version at a time, with all callers' texts in shared batches. Not thread-safe."""

    def __init__(self, classifier: Classifier) -> None:
        self._served = _ServedModel(classifier)

    @property
    def version(self) -> str:
        """The version that answers."""
        return self._served.manifest.version

    @property
    def manifest(self) -> Manifest:
        """The manifest of the version that answers."""
        return self._served.manifest

    async def verdict(self, text: str) -> Verdict:
        """Return the verdict on ``text`` from the version that was live when this was called."""
        return await asyncio.wrap_future(self._served.batcher.submit(text))

    async def replace(self, classifier: Classifier) -> None:
        """Answer all later texts with another model; return when the old one has answered its last text."""
        old, self._served = self._served, _ServedModel(classifier)
        # No more texts reach the old model: reading the reference and submitting are one step of the event loop.
        await asyncio.to_thread(old.batcher.close)

    def close(self) -> None:
        """Answer the texts that are waiting, then stop."""
        self._served.batcher.close()
