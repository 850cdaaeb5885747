"""Loads a job's inputs: the base model, the training set, the texts to evaluate on, and the live model."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.errors import NoReviews
from ml.data.reviews import read_reviews
from ml.data.sources import find_reviews
from ml.data.splits import exclude_texts
from ml.errors import TooFewCorrections
from ml.serving.chunked import Phases
from ml.serving.engine import Classifier
from ml.text.labels import label_index
from ml.training.base_model import BaseModel, find_base_model
from ml.training.corrections import Corrections
from ml.training.cross_fit import assign_folds
from ml.training.dataset_splits import DatasetSplits
from ml.training.feedback_round import base_model_from, feedback_training_set, is_round_from, load_anchor
from ml.training.frozen_features import FrozenEncoder
from ml.training.recipe import Recipe
from ml.training.training_set import TrainingSet
from storage.db.states import RunPhase
from worker.gate.cross_fitted_votes import CrossFit
from worker.trainer.protocol import Job


@dataclass(frozen=True, slots=True)
class TrainerInputs:
    """All of a job's inputs, loaded and checked.

    ``reviews`` are the labelled reviews, or None if there are none. ``voted`` is the table of texts with usable votes
    that ``measure_cross_fitted`` needs. ``cross_fit`` is None in a full run, where the candidate itself is measured.
    ``champion`` is the live model.
    """

    recipe: Recipe
    base: BaseModel
    training_set: TrainingSet
    reviews: DatasetSplits | None
    voted: pd.DataFrame
    cross_fit: CrossFit | None
    champion: Classifier


def load_inputs(job: Job, threads: int, phases: Phases) -> TrainerInputs:
    """Load all of a job's inputs. Models run on ``threads`` threads (0 means the engine's default).

    Raise any error that ``read_reviews``, ``DatasetSplits.from_reviews`` or ``feedback_training_set`` raises. Raise
    UnknownRecipe or BadRecipe if the recipe cannot be used, and UnusableArtifact, UnusableAnchor or NoBaseModel if a
    model is missing or cannot be used. Raise NoReviews for a full run without reviews, and TooFewCorrections for a
    feedback round without corrections.
    """
    phases.begin(RunPhase.LOADING, 0)
    recipe = Recipe.load(job.recipe)
    champion = Classifier.load(Path(job.champion), threads)
    voted = Corrections.from_table(_to_table(job), f"The snapshot of run {job.run_id}")
    reviews = _load_reviews(job, recipe)
    cross_fit = None
    if recipe.replay is None:
        base = find_base_model(job.base)
        if reviews is None:
            raise NoReviews
        voted = _set_one_fold_apart(voted)
        corrections = _trained(voted)
        training_set = reviews.training_set(None if corrections.rows.empty else corrections)
    else:
        corrections = _trained(voted)
        if corrections.rows.empty:
            raise TooFewCorrections(path=corrections.source)
        anchor = load_anchor(Path(job.base), threads)
        base = base_model_from(anchor)
        encoder = FrozenEncoder(anchor, threads)
        training_set = feedback_training_set(corrections, reviews, encoder, recipe, phases)
        cross_fit = CrossFit(encoder, training_set.replayed)
        if not is_round_from(champion.manifest, anchor.version):
            voted.rows["measured"] &= ~voted.rows["known"]
    training_set = training_set.with_not_reviews(job.not_reviews)
    rows = voted.rows
    # Every review counts as training data, even for a feedback round, which replays only some: the anchor saw them all.
    if reviews is not None:
        new = exclude_texts(rows, reviews.split.train)["message_id"]
        rows["measured"] &= rows["message_id"].isin(new)
    trained = training_set.corrections.get("message_id", pd.Series(dtype="int64"))
    rows["trained"] = rows["message_id"].isin(trained)
    return TrainerInputs(recipe, base, training_set, reviews, rows, cross_fit, champion)


def _trained(voted: Corrections) -> Corrections:
    return replace(voted, rows=voted.rows[voted.rows["trained"]].reset_index(drop=True))


def _set_one_fold_apart(voted: Corrections) -> Corrections:
    """Measure a full run on one fold and train it on the others, because training one model per fold would take days.

    Texts that the live model trained on cannot be measured, so they are not set apart.
    """
    rows = voted.rows.copy()
    apart = (assign_folds(rows["group"].tolist()) == 0) & ~rows["known"] & (rows["group"].nunique() > 1)
    rows["measured"] = apart | (~rows["trained"] & ~rows["known"])
    rows["trained"] &= ~apart
    return replace(voted, rows=rows)


def _load_reviews(job: Job, recipe: Recipe) -> DatasetSplits | None:
    if job.imdb is None:
        return None
    source = find_reviews(job.imdb)
    return DatasetSplits.from_reviews(read_reviews(source), source, recipe, None)


def _to_table(job: Job) -> pd.DataFrame:
    """Return a table of the job's texts, with labels as indices into LABELS. Raise ValueError for an unknown label."""
    texts = [*job.train, *job.measure]
    labels = [label_index(row.label) for row in texts]
    if None in labels:
        raise ValueError("a text has an unknown label")
    table = pd.DataFrame(
        {
            "message_id": pd.Series([row.message_id for row in texts], dtype="int64"),
            "text": pd.Series([row.text for row in texts], dtype=str),
            "label": pd.Series(labels, dtype="int8"),
            "group": pd.Series([row.group for row in texts], dtype=str),
        }
    )
    table["trained"] = np.arange(len(texts)) < len(job.train)
    table["known"] = table["message_id"].isin(job.known)
    table["measured"] = True
    return table
