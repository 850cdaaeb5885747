"""Builds the training set for a feedback round, from corrections and a replay of the anchor's training data.

The anchor is the model that was fine-tuned only on IMDB. Training on corrections alone would make the model forget, so
each round replays some of the anchor's training reviews or, if those are missing, texts from the behavioural checks. A
replayed text's targets are the anchor's own probabilities (Li and Hoiem 2016, "Learning without Forgetting").

The anchor is confident about its own training reviews, and targets near 0 or 1 barely constrain the network: small
changes hardly affect the loss, but flip verdicts on unseen reviews about which the anchor is less confident. So the
round replays excerpts of reviews, which are as short as users' messages, and picks the excerpts about which the anchor
is least confident.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ml.data.splits import exclude_texts
from ml.errors import UnusableAnchor
from ml.evaluation.behavioural_checks import check_texts
from ml.evaluation.check_files import read_checks
from ml.serving.artifact import MANIFEST, REPLAY_KEY, Manifest
from ml.serving.chunked import Phases, Unobserved
from ml.serving.engine import Classifier, Logits, probabilities
from ml.text.characters import LINE_BREAK
from ml.text.fingerprints import digest
from ml.training.base_model import BaseModel
from ml.training.corrections import Corrections
from ml.training.dataset_splits import DatasetSplits
from ml.training.frozen_features import FrozenEncoder
from ml.training.recipe import Recipe
from ml.training.training_set import TrainingExamples, TrainingSet, empty_reviews

# The key in ``Manifest.data`` that marks the result of a feedback round.
_ANCHOR_KEY = "anchor"
_CORRECTIONS_KEY = "corrections"
# The number of excerpts drawn for each excerpt that is replayed.
_EXCERPTS_PER_REPLAY = 2
# The number of words in an excerpt: from a short sentence to about one window of tokens.
_MIN_EXCERPT_WORDS, _MAX_EXCERPT_WORDS = 8, 100
_UNOBSERVED = Unobserved()


def load_anchor(folder: Path, threads: int = 0) -> Classifier:
    """Load the published model that rounds start from, on ``threads`` CPU threads (0 lets the engine choose).

    Raise UnusableAnchor for a folder that is not a published model or for a model that was trained on corrections, and
    UnusableArtifact for a broken model.
    """
    if not (folder / MANIFEST).is_file():
        raise UnusableAnchor(path=folder, reason="it is not a published model")
    anchor = Classifier.load(folder, threads)
    if _ANCHOR_KEY in anchor.manifest.data:
        origin = anchor.manifest.data[_ANCHOR_KEY]
        raise UnusableAnchor(path=folder, reason=f"it is itself the result of a feedback round from {origin}")
    if _CORRECTIONS_KEY in anchor.manifest.data:
        raise UnusableAnchor(path=folder, reason="it was trained on corrections, which rounds could not undo")
    return anchor


def is_round_from(manifest: Manifest, anchor: str) -> bool:
    """Return whether a published model comes from a feedback round that started from the model version ``anchor``."""
    return bool(manifest.data.get(_ANCHOR_KEY) == anchor)


def base_model_from(anchor: Classifier) -> BaseModel:
    """Return a published model as the base for a fine-tune."""
    return BaseModel(anchor.version, anchor.folder, anchor.manifest.temperature, anchor.manifest.characters)


def feedback_training_set(
    corrections: Corrections,
    anchor_data: DatasetSplits | None,
    encoder: FrozenEncoder,
    recipe: Recipe,
    phases: Phases = _UNOBSERVED,
) -> TrainingSet:
    """Return the corrections, and ``recipe.replay`` other texts with the anchor's own probabilities as targets.

    ``encoder`` reads with the anchor. ``anchor_data`` is the data that the anchor was trained on. Without this data,
    all texts from the behavioural checks are replayed, and there are no dev reviews for evaluation. Corrected texts are
    not replayed. Raise TooFewCorrections if every correction is in dev or in the official test split, and
    UnusableAnchor if the recipe reads texts in windows that differ from the anchor's.
    """
    anchor = encoder.model
    _require_same_reading(anchor, recipe)
    facts: dict[str, Any] = {_ANCHOR_KEY: anchor.version}
    if anchor_data is None:
        check_table = pd.DataFrame({"text": check_texts(read_checks())})
        candidates = exclude_texts(check_table, corrections.rows)["text"].tolist()
    else:
        corrections = corrections.excluding(anchor_data.held_out)
        candidates = _excerpts(exclude_texts(anchor_data.split.train, corrections.rows), recipe)
        facts |= anchor_data.manifest_data()
        facts["dev_is_the_anchors"] = anchor.manifest.data.get("dev") == facts["dev"]
    corrected = corrections.rows["text"].tolist()
    phases.begin("replay", len(corrected) + len(candidates))
    logits = encoder.read([*corrected, *candidates], phases.advance).logits
    replay = _with_anchor_targets(candidates, logits[len(corrected) :])
    if anchor_data is not None:
        replay = _least_confident(replay, recipe.replay or 0)
    facts[REPLAY_KEY] = {
        "file": anchor_data and anchor_data.source,
        "texts": len(replay.texts),
        "digest": digest(replay.texts),
    }
    right = logits[: len(corrected)].argmax(axis=1) == corrections.rows["label"]
    facts[_CORRECTIONS_KEY] = corrections.manifest_data() | {"anchor_right": float(right.mean())}
    examples = corrections.examples() + replay
    dev = anchor_data.split.dev if anchor_data else empty_reviews()
    return TrainingSet(examples, facts, dev, corrections.rows, replay)


def _require_same_reading(anchor: Classifier, recipe: Recipe) -> None:
    """Raise UnusableAnchor if the windows differ, because the anchor's targets and temperature depend on them."""
    anchor_windows, recipe_windows = (
        f"in windows of {each.window} tokens that overlap by {each.overlap} ({each.reading})"
        for each in (anchor.manifest, recipe)
    )
    if anchor_windows != recipe_windows:
        raise UnusableAnchor(
            path=anchor.folder, reason=f"it reads texts {anchor_windows}, but the recipe {recipe.name} {recipe_windows}"
        )


def _excerpts(reviews: pd.DataFrame, recipe: Recipe) -> list[str]:
    """Return excerpts of reviews, drawn with the seed: _EXCERPTS_PER_REPLAY for each text that will be replayed."""
    count = min(_EXCERPTS_PER_REPLAY * (recipe.replay or 0), len(reviews))
    rng = np.random.default_rng(recipe.seed)
    return [_random_excerpt(text, rng) for text in reviews["text"].sample(count, random_state=recipe.seed)]


def _least_confident(examples: TrainingExamples, count: int) -> TrainingExamples:
    """Return the ``count`` examples about which the anchor is least confident."""
    rows = np.argsort(examples.targets.max(axis=1), kind="stable")[:count]
    return TrainingExamples([examples.texts[row] for row in rows], examples.targets[rows])


def _random_excerpt(text: str, rng: np.random.Generator) -> str:
    """Return consecutive words from a random place in ``text``.

    Return a text of at most _MIN_EXCERPT_WORDS words unchanged.
    """
    words = LINE_BREAK.sub(" ", text).split()
    if len(words) <= _MIN_EXCERPT_WORDS:
        return text
    # The length is log-uniform, so that a sentence is as likely as a paragraph.
    length = round(_MIN_EXCERPT_WORDS * (min(len(words), _MAX_EXCERPT_WORDS) / _MIN_EXCERPT_WORDS) ** rng.random())
    start = int(rng.integers(len(words) - length + 1))
    return " ".join(words[start : start + length])


def _with_anchor_targets(texts: Sequence[str], logits: Logits) -> TrainingExamples:
    """Return texts with the anchor's probabilities as targets. The temperature is 1, as in training."""
    return TrainingExamples(texts, probabilities(logits, 1.0))
