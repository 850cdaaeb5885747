"""A training job's folder contains the batches that our training loop would use."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.training.job import TrainingBatch, TrainingJob, warm_up_batches
from ml.bert.config import BertConfig
from ml.bert.pretrained import read_checkpoint
from ml.text.tokenization import WindowTokenizer
from ml.training.batches import WindowBatches
from ml.training.recipe import Recipe
from ml.training.training_set import TrainingExamples

RECIPE = replace(Recipe.load("default"), epochs=1, batch_size=4, window=64, overlap=8)
SMALL = BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
# Texts that take up one or two multiples of 32 tokens, so that batches have two lengths.
TEXTS = [f"Number {number}: a joy" + " from the first page to the last" * (number % 3 * 3) for number in range(18)]


def equal(first: TrainingBatch, second: TrainingBatch) -> bool:
    """Return whether two batches have equal arrays of the same types."""
    mine, theirs = [{**inputs, "targets": targets} for inputs, targets in (first, second)]
    return list(mine) == list(theirs) and all(
        mine[name].dtype == theirs[name].dtype and np.array_equal(mine[name], theirs[name]) for name in mine
    )


@pytest.fixture(scope="module")
def epoch(reader: WindowTokenizer) -> list[TrainingBatch]:
    examples = TrainingExamples.from_labels(TEXTS, [number % 2 for number in range(18)])
    return list(WindowBatches(examples, replace(reader, window=64), RECIPE).epoch(0))


@pytest.fixture
def write(
    tmp_path: Path, random_bert: Callable[..., Path], reader: WindowTokenizer
) -> Callable[[list[TrainingBatch], list[int]], TrainingJob]:
    network = read_checkpoint(random_bert(tmp_path / "bert", SMALL))

    def job(batches: list[TrainingBatch], stops: list[int]) -> TrainingJob:
        return TrainingJob.write(tmp_path / "job", network, SMALL, reader, RECIPE, batches, stops)

    return job


def test_a_job_that_is_read_equals_the_one_written(
    write: Callable[[list[TrainingBatch], list[int]], TrainingJob], epoch: list[TrainingBatch]
) -> None:
    written = write(epoch, [2, 5])
    read = TrainingJob.read(written.folder)
    assert (read.recipe, list(read.stops), read.batches.batches_per_epoch) == (RECIPE, [2, 5], 5)
    assert all(equal(*pair) for pair in zip(read.batches.epoch(0), epoch, strict=True))
    assert BertConfig.read(read.start) == SMALL
    assert "classifier" in {layer.name for layer in read_checkpoint(read.start).layers}
    with pytest.raises(ValueError, match="not epoch 1"):
        read.batches.epoch(1)


def test_a_job_must_stop_at_its_last_batch(
    write: Callable[[list[TrainingBatch], list[int]], TrainingJob], epoch: list[TrainingBatch]
) -> None:
    with pytest.raises(ValueError, match="1 epochs of 5 steps do not end at step 4"):
        write(epoch, [2, 4])


def test_warm_up_batches_have_every_shape(epoch: list[TrainingBatch]) -> None:
    shapes = [inputs["input_ids"].shape for inputs, _ in epoch]
    assert len(set(shapes)) > 2
    assert {inputs["input_ids"].shape for inputs, _ in warm_up_batches(epoch, 1)} == set(shapes)
    assert len(warm_up_batches(epoch, 1)) == len(set(shapes))
    assert len(warm_up_batches(epoch, 2)) == sum(min(shapes.count(shape), 2) for shape in set(shapes))
    assert equal(warm_up_batches(epoch, 1)[0], epoch[0])
