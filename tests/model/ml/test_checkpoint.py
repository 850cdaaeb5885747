"""A fine-tune that resumes from its checkpoint ends with the same weights as one that was never stopped."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from ml.bert.config import BertConfig
from ml.bert.network import build_network
from ml.errors import FineTuneStopped, NothingToResume
from ml.text.tokenization import WindowTokenizer
from ml.training.base_model import DEFAULT_BASE_MODEL, find_base_model
from ml.training.batches import WindowBatches
from ml.training.checkpoint import Checkpoint, plan_digest
from ml.training.devices import use_precision
from ml.training.loop import TrainingCallbacks, TrainingProgress, train
from ml.training.recipe import Recipe
from ml.training.training_set import TrainingExamples

RECIPE = replace(Recipe.load("default"), batch_size=4, epochs=2, window=16, overlap=4, precision="float32")
TEXTS = [
    f"Number {number}: {'a joy' if number % 2 else 'a bore'} from the first page to the last" for number in range(30)
]
STEPS = 16


def network() -> keras.Model:
    """Build a small network with the same weights every time."""
    keras.utils.set_random_seed(RECIPE.seed)
    config = BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
    with use_precision(RECIPE.precision):
        return build_network(config)


@pytest.fixture(scope="module")
def batches() -> WindowBatches:
    reader = WindowTokenizer.read(find_base_model(DEFAULT_BASE_MODEL).folder, RECIPE.window, RECIPE.overlap)
    labels = pd.Series([number % 2 for number in range(30)])
    return WindowBatches(TrainingExamples.from_labels(TEXTS, labels.tolist()), reader, RECIPE)


def callbacks(progress_seen: list[TrainingProgress], stop_after: int | None = None) -> TrainingCallbacks:
    return TrainingCallbacks(
        progress_seen.append, lambda: stop_after is not None and progress_seen[-1].step == stop_after
    )


def weights(trained: keras.Model) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(variable) for variable in trained.trainable_variables]


@pytest.mark.parametrize("stop_after", [3, 8, 13])
def test_a_stopped_fine_tune_ends_with_the_same_weights(
    tmp_path: Path, batches: WindowBatches, stop_after: int
) -> None:
    checkpoint = Checkpoint(tmp_path / "training", plan_digest(name="whole"))
    whole, progress_seen = network(), []
    train(whole, batches, checkpoint, False, callbacks(progress_seen))
    assert [progress.step for progress in progress_seen] == list(range(1, STEPS + 1))
    first: list[TrainingProgress] = []
    with pytest.raises(FineTuneStopped, match=f"after step {stop_after} of {STEPS}"):
        train(network(), batches, checkpoint, False, callbacks(first, stop_after))
    second: list[TrainingProgress] = []
    resumed = network()
    train(resumed, batches, checkpoint, True, callbacks(second))
    assert [progress.step for progress in first + second] == list(range(1, STEPS + 1))
    for expected, found in zip(weights(whole), weights(resumed), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_checkpoint_of_another_plan_is_refused(tmp_path: Path, batches: WindowBatches) -> None:
    checkpoint = Checkpoint(tmp_path / "training", plan_digest(seed=1))
    with pytest.raises(FineTuneStopped):
        train(network(), batches, checkpoint, False, TrainingCallbacks(lambda _: None, lambda: True))
    with pytest.raises(NothingToResume, match="a different recipe"):
        train(network(), batches, Checkpoint(checkpoint.folder, plan_digest(seed=2)), True, callbacks([]))


def test_without_a_checkpoint_there_is_nothing_to_resume(tmp_path: Path, batches: WindowBatches) -> None:
    with pytest.raises(NothingToResume, match="Run the command without --resume"):
        train(network(), batches, Checkpoint(tmp_path / "none", "plan"), True, callbacks([]))


def test_a_partial_checkpoint_is_ignored_and_removed_by_the_next_one(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "training", "plan")
    trained = network()
    trained.compile(keras.optimizers.Adam())
    trained.optimizer.build(trained.trainable_variables)
    checkpoint.save(trained, 1)
    (whole,) = checkpoint.folder.iterdir()
    # A process that is killed while it writes a checkpoint leaves a file like this one.
    partial = checkpoint.folder / f".{whole.name}.4321.part"
    partial.write_bytes(whole.read_bytes()[:100])
    assert checkpoint.load(trained) == 1
    checkpoint.save(trained, 2)
    assert list(checkpoint.folder.iterdir()) == [whole], "the partial file wastes disk space"
    assert checkpoint.load(trained) == 2
    checkpoint.remove()
    assert not checkpoint.folder.exists()
    checkpoint.remove()
