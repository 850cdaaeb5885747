"""Imports labelled texts: the live model classifies the new texts, and one transaction stores everything."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from bot.serving.loader import ModelLoader
from bot.serving.model_files import adopt_shipped, read_shipped
from core.settings import Settings
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
from storage.models.shipped import register_shipped

_BATCH_SIZE: Final = 128

# Called with the number of texts classified so far and the total number of texts.
OnProgress = Callable[[int, int], None]


def import_corrections(
    database: Database, settings: Settings, votes: Sequence[ImportedVote], admin: int | None, on_progress: OnProgress
) -> ImportCounts:
    """Store the votes and return the counts. If ``admin`` (a Telegram id) is given, store them as that admin's votes.

    If no bot has started since the installation or an update, use the model that a bot would make live. Raise
    UnusableArtifact if the model's files differ from the published files, or StoreUnusable if the store can't be used.
    """
    live = _live_model(database, settings)
    with database.reading() as unit:
        votes = _with_known_spellings(votes, stored_texts(unit))
        texts = list(dict.fromkeys(vote.text for vote in votes))
        known = imported_texts(unit, texts)
    classifier = ModelLoader(settings).load(live)
    predicted = _predict(classifier, [text for text in texts if text not in known], on_progress)
    with database.unit_of_work() as unit:
        return import_votes(unit, votes, predicted, admin)


def _live_model(database: Database, settings: Settings) -> registry.ModelVersion:
    """Return the live model. Register and return MODEL if no model is live or if an update replaced the live model."""
    adopt_shipped(database, settings)
    with database.unit_of_work() as unit:
        live = registry.live_model(unit)
        if live is not None:
            return live
        shipped = read_shipped(settings)
        register_shipped(unit, shipped)
        return registry.get_version(unit, shipped.version)


def _with_known_spellings(votes: Sequence[ImportedVote], stored: Iterable[str]) -> list[ImportedVote]:
    """Return the votes without duplicates.

    Each text is spelled as in the database or, if it is new, as in its first vote. Texts with the same ``fingerprint``
    count as one text. If the database contains a text exactly as the vote spells it, keep that spelling.
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
