"""A job made ready: the model that training starts from, what it trains on, and what it is measured by."""

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
from ml.serving.engine import Classifier
from ml.text.labels import label_index
from ml.training.base_model import BaseModel, find_base_model
from ml.training.corrections import Corrections
from ml.training.dataset_splits import DatasetSplits
from ml.training.feedback_round import base_model_from, feedback_training_set, load_anchor
from ml.training.recipe import Recipe
from ml.training.training_set import TrainingSet
from worker.trainer.protocol import Job


@dataclass(frozen=True, slots=True)
class TrainerInputs:
    """What a job asks for, read and checked.

    ``known`` are the labelled reviews, None without any. ``new`` are the judged texts that train, ``held_out`` those
    that measure, both as tables with ``text`` and ``label``. ``champion`` is the live model.
    """

    recipe: Recipe
    base: BaseModel
    training_set: TrainingSet
    known: DatasetSplits | None
    new: pd.DataFrame
    held_out: pd.DataFrame
    champion: Classifier


def prepare(job: Job, threads: int) -> TrainerInputs:
    """Read everything that a job names; models answer on ``threads`` processor threads, or as many as they like.

    Raises what ``read_reviews``, ``DatasetSplits.from_reviews`` and ``feedback_training_set`` do, UnknownRecipe,
    BadRecipe, UnusableArtifact or UnusableAnchor for a model, NoBaseModel, NoReviews for a full run without reviews,
    and TooFewCorrections for a feedback round without judged texts.
    """
    recipe = Recipe.load(job.recipe)
    champion = Classifier.load(Path(job.champion), threads)
    judged = Corrections.from_table(_table(job.train), f"The snapshot of run {job.run_id}")
    known = _known(job, recipe)
    if recipe.replay is None:
        base = find_base_model(job.base)
        if known is None:
            raise NoReviews
        training_set = known.training_set(None if judged.rows.empty else judged)
    else:
        if judged.rows.empty:
            raise TooFewCorrections(path=judged.source)
        anchor = load_anchor(Path(job.base), threads)
        base = base_model_from(anchor)
        training_set = feedback_training_set(judged, known, anchor, recipe)
    # The anchor trained on every review, of which a round replays parts.
    reviews = [] if known is None else known.split.train["text"].tolist()
    trained = pd.DataFrame({"text": [*training_set.examples.texts, *reviews]})
    held_out = exclude_texts(Corrections.from_table(_table(job.held_out), "").rows, trained)
    return TrainerInputs(recipe, base, training_set, known, training_set.corrections, held_out, champion)


def _known(job: Job, recipe: Recipe) -> DatasetSplits | None:
    if job.imdb is None:
        return None
    source = find_reviews(job.imdb)
    return DatasetSplits.from_reviews(read_reviews(source), source, recipe, None)


def _table(judged: Iterable[LabelledText]) -> pd.DataFrame:
    """Texts and indices into LABELS; raises ValueError for a label that is no sentiment."""
    rows = [(row.text, label_index(row.label)) for row in judged]
    if any(label is None for _, label in rows):
        raise ValueError("a judged text has a label that is no sentiment")
    table = pd.DataFrame(rows, columns=["text", "label"])
    return table.astype({"text": str, "label": "int8"})
