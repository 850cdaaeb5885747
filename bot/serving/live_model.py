"""The model that answers now, and its change for another between two texts."""

import asyncio
from typing import Final

from ml.serving.artifact import Manifest
from ml.serving.batcher import Batcher
from ml.serving.engine import BATCH_TOKENS, Classifier, Verdict

# English runs to four characters a token, so this is about one batch of the engine.
_BATCH_CHARACTERS: Final = 4 * BATCH_TOKENS


class _Serving:
    """One classifier and the thread that answers with it."""

    def __init__(self, classifier: Classifier) -> None:
        self.manifest = classifier.manifest
        self.batcher: Batcher[Verdict] = Batcher(classifier.classify, _BATCH_CHARACTERS)


class LiveModel:
    """Verdicts from one version at a time; every caller's texts share its batches. Use it on the event loop only."""

    def __init__(self, classifier: Classifier) -> None:
        self._serving = _Serving(classifier)

    @property
    def version(self) -> str:
        """The version that answers."""
        return self._serving.manifest.version

    @property
    def manifest(self) -> Manifest:
        """What is known of the version that answers."""
        return self._serving.manifest

    async def verdict(self, text: str) -> Verdict:
        """What the model says of ``text``, and which version that was: the one that was live when it was asked."""
        return await asyncio.wrap_future(self._serving.batcher.submit(text))

    async def replace(self, classifier: Classifier) -> None:
        """Answer with another model from now on; returns once the old one has answered the texts that it had."""
        old, self._serving = self._serving, _Serving(classifier)
        # No text reaches the old one any more: taking the reference and submitting to it is one step of the loop.
        await asyncio.to_thread(old.batcher.close)

    def close(self) -> None:
        """Answer what waits, then stop."""
        self._serving.batcher.close()
