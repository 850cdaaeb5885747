"""The windows in an epoch, their batches, and the learning rate schedule."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from ml.text.tokenization import WindowTokenizer
from ml.training.batches import WindowBatches
from ml.training.devices import use_precision
from ml.training.loop import WarmUpLinearDecay
from ml.training.recipe import Recipe
from ml.training.training_set import TrainingExamples

RECIPE = replace(Recipe.load("default"), batch_size=4, seed=5, crops=0.0)
# Texts with one or several windows. No window occurs twice.
TEXTS = [" ".join(f"{number} of {word}" for word in range(24 if number % 3 else 5)) for number in range(30)]
LABELS = [number % 2 for number in range(30)]


@pytest.fixture
def batches(reader: WindowTokenizer) -> WindowBatches:
    return WindowBatches(TrainingExamples.from_labels(TEXTS, LABELS), reader, RECIPE)


def rows_of(batches: WindowBatches, epoch: int) -> list[tuple[tuple[int, ...], int]]:
    """Return an epoch's windows in order and without padding, each with its label."""
    return [
        (tuple(ids[mask == 1].tolist()), int(target.argmax()))
        for inputs, targets in batches.epoch(epoch)
        for ids, mask, target in zip(inputs["input_ids"], inputs["attention_mask"], targets, strict=True)
    ]


def test_an_epoch_has_one_window_of_each_review(batches: WindowBatches, reader: WindowTokenizer) -> None:
    owners = {
        (tuple(window), LABELS[number]): number
        for number, ids in enumerate(reader.token_ids(TEXTS))
        for window in reader.windows(ids)
    }
    assert len(owners) > 2 * len(TEXTS)
    assert sorted(owners[row] for row in rows_of(batches, 0)) == list(range(len(TEXTS)))


def test_later_epochs_have_other_windows(batches: WindowBatches, reader: WindowTokenizer) -> None:
    seen = {window for epoch in range(40) for window, _ in rows_of(batches, epoch)}
    everything = {tuple(window) for ids in reader.token_ids(TEXTS) for window in reader.windows(ids)}
    assert seen == everything


def test_an_epoch_depends_only_on_the_seed_and_its_number(batches: WindowBatches, reader: WindowTokenizer) -> None:
    again = WindowBatches(TrainingExamples.from_labels(TEXTS, LABELS), reader, RECIPE)
    other = WindowBatches(TrainingExamples.from_labels(TEXTS, LABELS), reader, replace(RECIPE, seed=6))
    assert rows_of(again, 3) == rows_of(batches, 3)
    assert rows_of(batches, 4) != rows_of(batches, 3)
    assert rows_of(other, 3) != rows_of(batches, 3)


def test_crops_are_parts_of_windows_and_other_windows_are_kept_whole(reader: WindowTokenizer) -> None:
    cropping = WindowBatches(TrainingExamples.from_labels(TEXTS, LABELS), reader, replace(RECIPE, crops=0.5))
    whole = {tuple(window) for ids in reader.token_ids(TEXTS) for window in reader.windows(ids)}
    shown = [window for epoch in range(40) for window, _ in rows_of(cropping, epoch)]
    assert all(window[0] == reader.cls_id and window[-1] == reader.sep_id for window in shown)
    inside = {" ".join(map(str, window[1:-1])) for window in whole}
    parts = [window for window in shown if window not in whole]
    assert all(any(" ".join(map(str, part[1:-1])) in window for window in inside) for part in parts)
    assert 0.3 < len(parts) / len(shown) < 0.6, "a text too short to crop is kept whole"
    lengths = [len(part) - 2 for part in parts]
    assert min(lengths) == 12
    assert max(lengths) > 20
    assert rows_of(cropping, 1) == rows_of(cropping, 1)


def test_batches_have_the_configured_size_and_similar_lengths(batches: WindowBatches) -> None:
    sizes = [len(labels) for _, labels in batches.epoch(0)]
    assert len(sizes) == batches.batches_per_epoch == 8
    assert sorted(sizes) == [2, *[4] * 7]
    spreads = [np.ptp(inputs["attention_mask"].sum(axis=1)) for inputs, _ in batches.epoch(0)]
    assert sum(spread > 10 for spread in spreads) <= 1, "at most one batch mixes short and long windows"


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    schedule = WarmUpLinearDecay(peak=0.01, warmup=10, steps=100)
    rates = [float(schedule(step)) for step in (0, 5, 10, 55, 100, 120)]
    assert rates == pytest.approx([0.0, 0.005, 0.01, 0.005, 0.0, 0.0])


def test_without_warm_up_the_learning_rate_starts_at_its_peak() -> None:
    assert float(WarmUpLinearDecay(0.01, 0, 10)(1)) == pytest.approx(0.009)


@pytest.mark.parametrize(
    ("precision", "computed"), [("float32", "float32"), ("bfloat16", "bfloat16"), ("fastest", None)]
)
def test_a_precision_applies_only_inside_its_block(precision: str, computed: str | None) -> None:
    before = keras.config.dtype_policy()
    with use_precision(precision) as found:
        policy = keras.config.dtype_policy()
        assert found == (computed or found)
        assert found in ("float32", "bfloat16")
        assert policy.compute_dtype == found
        assert policy.variable_dtype == "float32"
    assert keras.config.dtype_policy() == before
