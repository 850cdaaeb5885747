"""Loads a job's inputs: the base model, the training set, the texts to evaluate on, and the live model."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.errors import NoReviews
from core.labelled_text import LabelledText
from ml.data.reviews import read_reviews
from ml.data.sources import find_reviews
from ml.data.splits import exclude_texts
from ml.errors import TooFewCorrections
from ml.serving.chunked import Phases
from ml.serving.engine import Classifier
from ml.text.labels import label_index
from ml.training.base_model import BaseModel, find_base_model
from ml.training.corrections import Corrections
from ml.training.dataset_splits import DatasetSplits
from ml.training.feedback_round import base_model_from, feedback_training_set, load_anchor
from ml.training.recipe import Recipe
from ml.training.training_set import TrainingSet
from storage.db.states import RunPhase
from worker.trainer.protocol import Job


@dataclass(frozen=True, slots=True)
class TrainerInputs:
    """All of a job's inputs, loaded and checked.

    ``reviews`` are the labelled reviews, or None if there are none. ``new_texts`` are the corrections to train on and
    ``held_out`` the corrections to evaluate on, both as tables with ``message_id``, ``text`` and ``label``.
    ``champion`` is the live model.
    """

    recipe: Recipe
    base: BaseModel
    training_set: TrainingSet
    reviews: DatasetSplits | None
    new_texts: pd.DataFrame
    held_out: pd.DataFrame
    champion: Classifier


def load_inputs(job: Job, threads: int, phases: Phases) -> TrainerInputs:
    """Load all of a job's inputs; models run on ``threads`` threads, with 0 for the engine's default.

    Raise any error that ``read_reviews``, ``DatasetSplits.from_reviews`` or ``feedback_training_set`` raises. Raise
    UnknownRecipe or BadRecipe if the recipe cannot be used, UnusableArtifact, UnusableAnchor or NoBaseModel if a model
    is missing or cannot be used, NoReviews for a full run without reviews, and TooFewCorrections for a feedback round
    without corrections.
    """
    phases.begin(RunPhase.LOADING, 0)
    recipe = Recipe.load(job.recipe)
    champion = Classifier.load(Path(job.champion), threads)
    corrections = Corrections.from_table(_to_table(job.train), f"The snapshot of run {job.run_id}")
    reviews = _load_reviews(job, recipe)
    if recipe.replay is None:
        base = find_base_model(job.base)
        if reviews is None:
            raise NoReviews
        training_set = reviews.training_set(None if corrections.rows.empty else corrections)
    else:
        if corrections.rows.empty:
            raise TooFewCorrections(path=corrections.source)
        anchor = load_anchor(Path(job.base), threads)
        base = base_model_from(anchor)
        training_set = feedback_training_set(corrections, reviews, anchor, recipe, phases)
    # Count every review as training data, even for a feedback round, which replays only some: the anchor saw them all.
    review_texts = [] if reviews is None else reviews.split.train["text"].tolist()
    trained = pd.DataFrame({"text": [*training_set.examples.texts, *review_texts]})
    held_out = exclude_texts(Corrections.from_table(_to_table(job.held_out), "").rows, trained)
    return TrainerInputs(recipe, base, training_set, reviews, training_set.corrections, held_out, champion)


def _load_reviews(job: Job, recipe: Recipe) -> DatasetSplits | None:
    if job.imdb is None:
        return None
    source = find_reviews(job.imdb)
    return DatasetSplits.from_reviews(read_reviews(source), source, recipe, None)


def _to_table(rows: Iterable[LabelledText]) -> pd.DataFrame:
    """Return a table with ``message_id``, ``text`` and ``label`` (an index into LABELS).

    Raise ValueError for an unknown label.
    """
    values = [(row.message_id, row.text, label_index(row.label)) for row in rows]
    if any(label is None for *_, label in values):
        raise ValueError("a text has an unknown label")
    table = pd.DataFrame(values, columns=["message_id", "text", "label"])
    return table.astype({"message_id": "int64", "text": str, "label": "int8"})
