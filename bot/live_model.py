"""The model that answers now: one object, loaded, verified and warm before the first text."""

import asyncio
from pathlib import Path

from ml.artifact import manifest_hash
from ml.batcher import Batcher
from ml.prediction import BATCH_TOKENS, Classifier, Verdict
from storage import model_registry
from storage.database import Unit

# English runs to four characters a token, so this is about one batch of the engine.
_BATCH_CHARACTERS = 4 * BATCH_TOKENS


class LiveModel:
    """Verdicts from one published version; every caller's texts share its batches."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._batcher: Batcher[Verdict] = Batcher(classifier.classify, _BATCH_CHARACTERS)

    @classmethod
    def load(cls, folder: Path, threads: int) -> "LiveModel":
        """Load and verify the folder; raises UnusableArtifact. The probes that are checked warm the engine."""
        return cls(Classifier.load(folder, threads))

    @property
    def version(self) -> str:
        """The version that answers."""
        return self._classifier.version

    async def verdict(self, text: str) -> Verdict:
        """What the model says of ``text``, and which version that was."""
        return await asyncio.wrap_future(self._batcher.submit(text))

    def register(self, unit: Unit) -> None:
        """Enter the version in the registry as the live one, with its manifest's hash."""
        folder = self._classifier.folder
        model_registry.register(unit, self.version, manifest_hash(folder), str(folder))
        model_registry.make_live(unit, self.version, "the bot started with it")

    def close(self) -> None:
        """Answer what waits, then stop."""
        self._batcher.close()
