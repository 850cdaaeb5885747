"""The model that a bot is using. It can be replaced while texts keep arriving."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from bot.timings import CLASSIFYING, EXPLAINING
from ml.explanation.explain import Explanation, explain
from ml.serving.artifact import Manifest
from ml.serving.batcher import Batcher
from ml.serving.engine import Classifier, Verdict
from ml.serving.runtime import BATCH_TOKENS

logger = logging.getLogger(__name__)

# Maximum number of characters in a batch. English text has about four characters per token, so this is about one engine
# batch.
_BATCH_CHARACTERS: Final = 4 * BATCH_TOKENS


class _ServedModel:
    """A classifier and the thread that runs it."""

    def __init__(self, classifier: Classifier) -> None:
        self.manifest = classifier.manifest
        self.batcher: Batcher[Verdict] = Batcher(classifier.classify, _BATCH_CHARACTERS)
        self.explanations: set[asyncio.Task[Explanation]] = set()
        self._classifier = classifier

    def explain(self, text: str) -> Explanation:
        """Explain the verdict on ``text``, blocking the thread and sharing batches with other callers' texts."""
        return explain(text, self._classifier.engine.tokenizer, self._classify)

    def _classify(self, texts: Sequence[str]) -> list[Verdict]:
        return [verdict.result() for verdict in [self.batcher.submit(text) for text in texts]]


class LiveModel:
    """Classifies texts with one version at a time, and batches texts from all callers together. Not thread-safe."""

    def __init__(self, classifier: Classifier) -> None:
        self._served = _ServedModel(classifier)

    @property
    def version(self) -> str:
        """The version in use."""
        return self._served.manifest.version

    @property
    def manifest(self) -> Manifest:
        """The manifest of the version in use."""
        return self._served.manifest

    async def verdict(self, text: str) -> Verdict:
        """Return the verdict on ``text`` from the version that was live when this was called."""
        version = self.version
        with CLASSIFYING.time():
            verdict = await asyncio.wrap_future(self._served.batcher.submit(text))
        logger.info("Classified by %s", version)
        return verdict

    async def explain(self, text: str) -> Explanation:
        """Explain the verdict on ``text`` from the version that was live when this was called."""
        served = self._served
        explaining = asyncio.create_task(asyncio.to_thread(served.explain, text))
        served.explanations.add(explaining)
        explaining.add_done_callback(served.explanations.discard)
        with EXPLAINING.time():
            explanation = await explaining
        logger.info("Explained by %s", explanation.verdict.version)
        return explanation

    async def replace(self, classifier: Classifier) -> None:
        """Use a different model for all later texts. Return after the old model has classified its last text."""
        old, self._served = self._served, _ServedModel(classifier)
        # No more texts reach the old model, except from its explanations: ``verdict`` reads the reference and submits
        # in one step of the event loop.
        if old.explanations:
            await asyncio.wait(old.explanations)
        await asyncio.to_thread(old.batcher.close)

    def close(self) -> None:
        """Classify the texts that are waiting, then stop. Explanations that aren't finished by then fail."""
        self._served.batcher.close()
