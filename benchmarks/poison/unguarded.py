"""The same fine-tune without the project's rules: every vote trains as it is, and what comes of it goes live."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from benchmarks.poison.effects import Effect, effect_of
from benchmarks.poison.network import SmallNetwork
from benchmarks.poison.people import Judged
from benchmarks.poison.texts import Texts
from ml.serving.engine import Classifier
from ml.text.labels import LABELS
from ml.training.corrections import Corrections
from ml.training.dataset_splits import DatasetSplits


def run_unguarded(network: SmallNetwork, known: DatasetSplits, texts: Texts, judged: Judged, seed: int) -> Effect:
    """Fine-tune by the same recipe, with the same replay, on all judgements: no quorum, no limit a person, no gate."""
    import keras  # noqa: PLC0415 - a process that only draws cases does not need it

    from ml.training.feedback_round import base_model_from, feedback_training_set, load_anchor  # noqa: PLC0415
    from ml.training.fine_tune import FineTuneJob, fine_tune  # noqa: PLC0415
    from ml.training.loop import TrainingCallbacks  # noqa: PLC0415

    votes = [(one.text, LABELS.index(one.label)) for one in judged.said if one.label is not None]
    rows = pd.DataFrame(votes, columns=["text", "label"]).astype({"label": "int8"})
    anchor = load_anchor(network.anchor, threads=1)
    recipe = network.recipe(seed)
    training_set = feedback_training_set(Corrections(rows, "all judgements", 0), known, anchor, recipe)
    with TemporaryDirectory() as folder:
        order = FineTuneJob(base_model_from(anchor), training_set, recipe, Path(folder) / "naive")
        fine_tune(order, TrainingCallbacks(lambda _: None, lambda: False))
        keras.backend.clear_session()
        return effect_of(Classifier.load(order.out, threads=1), texts)
