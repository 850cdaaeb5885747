"""What a feedback round trains on: corrections, and a replay of what the anchor knows.

The anchor is the model that was fine-tuned on IMDB alone. Training on corrections only would cost it what it knows, so
each round shows some of its own reviews again; without them, the texts of the behavioural checks. What is to be said of
a replayed text is what the anchor says (Li and Hoiem 2016, "Learning without Forgetting").

Of its own reviews the anchor is sure, and an answer near 0 or 1 holds nothing in place: the loss is as small when the
network moves a little, and reviews that it never saw, of which it is less sure, turn. So parts of reviews are replayed,
which are short like what people write, and of those the ones that it is least sure of.
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
from ml.serving.artifact import MANIFEST, REPLAY_KEY
from ml.serving.engine import Classifier, probabilities
from ml.text.fingerprints import digest
from ml.text.tokenization import LINE_BREAK
from ml.training.base_model import BaseModel
from ml.training.corrections import Corrections
from ml.training.dataset_splits import DatasetSplits
from ml.training.recipe import Recipe
from ml.training.training_set import TrainingExamples, TrainingSet, empty_reviews

# The fact of a manifest by which a model that came out of a feedback round is known.
_ANCHOR_KEY = "anchor"
_CORRECTIONS_KEY = "corrections"
# Parts that are drawn for each that is replayed.
_EXCERPTS_PER_REPLAY = 2
# Words of a part of a review: from a short sentence to what one window of tokens holds.
_MIN_EXCERPT_WORDS, _MAX_EXCERPT_WORDS = 8, 100


def load_anchor(folder: Path, threads: int = 0) -> Classifier:
    """The published model that rounds start from, on ``threads`` processor threads, or as many as the engine likes.

    Raises UnusableAnchor for a folder that is no published model and for one that has learnt from corrections, and
    UnusableArtifact for a broken one.
    """
    if not (folder / MANIFEST).is_file():
        raise UnusableAnchor(path=folder, reason="it is no published model")
    anchor = Classifier.load(folder, threads)
    if _ANCHOR_KEY in anchor.manifest.data:
        first = anchor.manifest.data[_ANCHOR_KEY]
        raise UnusableAnchor(path=folder, reason=f"it came out of a feedback round itself, which started from {first}")
    if _CORRECTIONS_KEY in anchor.manifest.data:
        raise UnusableAnchor(path=folder, reason="it was trained on corrections, which rounds could then not take back")
    return anchor


def base_model_from(anchor: Classifier) -> BaseModel:
    """A published model as what a fine-tune starts from."""
    return BaseModel(anchor.version, anchor.folder, anchor.manifest.temperature)


def feedback_training_set(
    corrections: Corrections, anchor_data: DatasetSplits | None, anchor: Classifier, recipe: Recipe
) -> TrainingSet:
    """Return the corrections, and ``recipe.replay`` other texts with the anchor's own probabilities as targets.

    ``anchor_data`` is the data that the anchor was trained on. Without it, all texts of the behavioural checks are
    replayed and there is no dev to measure on. Corrected texts are not replayed. Raises TooFewCorrections if every
    correction is held out, and UnusableAnchor if the recipe reads texts in other windows than the anchor.
    """
    _require_same_reading(anchor, recipe)
    facts: dict[str, Any] = {_ANCHOR_KEY: anchor.version}
    if anchor_data is None:
        checked = pd.DataFrame({"text": check_texts(read_checks())})
        replay = _with_anchor_targets(anchor, exclude_texts(checked, corrections.rows)["text"].tolist())
    else:
        corrections = corrections.excluding(anchor_data.held_out)
        replay = _replay_examples(exclude_texts(anchor_data.split.train, corrections.rows), anchor, recipe)
        facts |= anchor_data.manifest_data()
        facts["dev_is_the_anchors"] = anchor.manifest.data.get("dev") == facts["dev"]
    facts[REPLAY_KEY] = {
        "file": anchor_data and anchor_data.source,
        "texts": len(replay.texts),
        "digest": digest(replay.texts),
    }
    logits, _ = anchor.engine.logits(corrections.rows["text"].tolist())
    right = logits.argmax(axis=1) == corrections.rows["label"]
    facts[_CORRECTIONS_KEY] = corrections.manifest_data() | {"anchor_right": float(right.mean())}
    examples = corrections.examples() + replay
    return TrainingSet(examples, facts, anchor_data.split.dev if anchor_data else empty_reviews(), corrections.rows)


def _require_same_reading(anchor: Classifier, recipe: Recipe) -> None:
    """What an anchor says of a text, and its temperature, hold for texts that are read as it reads them."""
    own, other = (
        f"in windows of {each.window} tokens that overlap by {each.overlap} ({each.reading})"
        for each in (anchor.manifest, recipe)
    )
    if own != other:
        raise UnusableAnchor(path=anchor.folder, reason=f"it reads {own}, the recipe {recipe.name} {other}")


def _replay_examples(reviews: pd.DataFrame, anchor: Classifier, recipe: Recipe) -> TrainingExamples:
    """Parts of ``recipe.replay`` reviews, drawn by the seed; of all when there are no more."""
    drawn = reviews["text"].sample(
        min(_EXCERPTS_PER_REPLAY * (recipe.replay or 0), len(reviews)), random_state=recipe.seed
    )
    rng = np.random.default_rng(recipe.seed)
    parts = _with_anchor_targets(anchor, [_random_excerpt(text, rng) for text in drawn])
    least_sure = np.argsort(parts.targets.max(axis=1), kind="stable")[: recipe.replay]
    return TrainingExamples([parts.texts[row] for row in least_sure], parts.targets[least_sure])


def _random_excerpt(text: str, rng: np.random.Generator) -> str:
    """Neighbouring words of a text, at a random place; a text as short as a sentence stays whole."""
    words = LINE_BREAK.sub(" ", text).split()
    if len(words) <= _MIN_EXCERPT_WORDS:
        return text
    # Even over the logarithm of the length, so that a sentence is as likely as a paragraph.
    length = round(_MIN_EXCERPT_WORDS * (min(len(words), _MAX_EXCERPT_WORDS) / _MIN_EXCERPT_WORDS) ** rng.random())
    start = int(rng.integers(len(words) - length + 1))
    return " ".join(words[start : start + length])


def _with_anchor_targets(anchor: Classifier, texts: Sequence[str]) -> TrainingExamples:
    """Texts under the probabilities of the anchor, at the temperature 1 that it was trained at."""
    logits, _ = anchor.engine.logits(texts)
    return TrainingExamples(texts, probabilities(logits, 1.0))
