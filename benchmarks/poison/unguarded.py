"""Runs a case without the project's rules: every vote is used for training, and the model always goes live."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from benchmarks.poison.effects import Effect, measure_effect
from benchmarks.poison.network import PoisonNetwork
from benchmarks.poison.people import CaseVotes
from benchmarks.poison.texts import PoisonTexts
from ml.serving.engine import Classifier
from ml.text.labels import LABELS
from ml.training.corrections import Corrections
from ml.training.dataset_splits import DatasetSplits


def run_unguarded(
    network: PoisonNetwork, known: DatasetSplits, texts: PoisonTexts, case_votes: CaseVotes, seed: int
) -> Effect:
    """Fine-tune on all votes with the same recipe and replay, without quorum, quota or gate, and measure the model."""
    import keras  # noqa: PLC0415 - a process that only draws cases does not need it

    from ml.training.feedback_round import base_model_from, feedback_training_set, load_anchor  # noqa: PLC0415
    from ml.training.fine_tune import FineTuneJob, fine_tune  # noqa: PLC0415
    from ml.training.frozen_features import FrozenEncoder  # noqa: PLC0415
    from ml.training.loop import TrainingCallbacks  # noqa: PLC0415

    votes = [(one.text, LABELS.index(one.label)) for one in case_votes.votes if one.label is not None]
    rows = pd.DataFrame(votes, columns=["text", "label"]).astype({"label": "int8"})
    anchor = load_anchor(network.anchor, threads=1)
    recipe = network.recipe(seed)
    training_set = feedback_training_set(
        Corrections(rows, "all votes", 0), known, FrozenEncoder(anchor, threads=1), recipe
    )
    with TemporaryDirectory() as folder:
        job = FineTuneJob(base_model_from(anchor), training_set, recipe, Path(folder) / "naive")
        fine_tune(job, TrainingCallbacks(lambda _: None, lambda: False))
        keras.backend.clear_session()
        return measure_effect(Classifier.load(job.out, threads=1), texts)
