"""Imports labelled texts: the live model classifies the new ones, then one transaction stores everything."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from core.settings import Settings
from ml.serving.artifact import manifest_hash, require_registered
from ml.serving.engine import Classifier
from ml.text.fingerprints import fingerprint
from storage.db.database import Database
from storage.feedback.bulk_import import (
    ImportCounts,
    ImportedVote,
    ImportPrediction,
    import_votes,
    imported_texts,
    stored_texts,
)
from storage.models import registry
from storage.models.artifact_store import ArtifactStore

_BATCH_SIZE: Final = 128

# Called with the number of texts classified so far and the total number of texts.
OnProgress = Callable[[int, int], None]


def import_corrections(
    database: Database, settings: Settings, votes: Sequence[ImportedVote], admin: int | None, on_progress: OnProgress
) -> ImportCounts:
    """Store the votes and return the counts. If ``admin``, a Telegram id, is given, store them as that admin's votes.

    Raise UnusableArtifact if the live model's files differ from the published ones, or StoreUnusable if the store can't
    be used.
    """
    with database.reading() as unit:
        votes = _with_known_spellings(votes, stored_texts(unit))
        texts = list(dict.fromkeys(vote.text for vote in votes))
        known = imported_texts(unit, texts)
        live = registry.live_model(unit)
    with _live_model_folder(settings, live) as folder:
        classifier = Classifier.load(folder, settings.serving_threads)
        if live is not None:
            require_registered(folder, live.version, live.manifest_sha256)
        predicted = _predict(classifier, [text for text in texts if text not in known], on_progress)
    with database.unit_of_work() as unit:
        if live is None:
            registry.register(unit, classifier.version, manifest_hash(folder), str(folder))
        return import_votes(unit, votes, predicted, admin)


def _with_known_spellings(votes: Sequence[ImportedVote], stored: Iterable[str]) -> list[ImportedVote]:
    """Return the votes without duplicates, with each text spelled as in the database or else as in its first vote.

    Texts with the same ``fingerprint`` are one text. A text that is in the database with the same spelling is kept.
    """
    exact = {vote.text for vote in votes}
    spellings: dict[str, str] = {}
    wanted = set(map(fingerprint, exact))
    known: set[str] = set()
    for text in stored:
        if text in exact:
            known.add(text)
        if (key := fingerprint(text)) in wanted:
            spellings.setdefault(key, text)
    for vote in votes:
        spellings.setdefault(fingerprint(vote.text), vote.text)
    spelled = (vote if vote.text in known else replace(vote, text=spellings[fingerprint(vote.text)]) for vote in votes)
    return list(dict.fromkeys(spelled))


@contextmanager
def _live_model_folder(settings: Settings, live: registry.ModelVersion | None) -> Iterator[Path]:
    """Yield the folder of the live model, or of the model in the settings if the bot has never been started."""
    if live is None:
        yield settings.model
        return
    with TemporaryDirectory() as place:
        yield ArtifactStore.open(settings.store_address).fetch(live.location, Path(place))


def _predict(classifier: Classifier, texts: list[str], on_progress: OnProgress) -> dict[str, ImportPrediction]:
    predicted: dict[str, ImportPrediction] = {}
    on_progress(0, len(texts))
    for start in range(0, len(texts), _BATCH_SIZE):
        batch = texts[start : start + _BATCH_SIZE]
        for text, verdict in zip(batch, classifier.classify(batch), strict=True):
            predicted[text] = ImportPrediction(
                version=verdict.version,
                label=verdict.label,
                confidence=verdict.confidence,
                sure=verdict.sure,
                windows=verdict.windows,
                logits=verdict.logits,
            )
        on_progress(len(predicted), len(texts))
    return predicted
