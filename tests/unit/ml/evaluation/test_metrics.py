"""Figures from logits: temperature fitting, calibration error, and edge cases."""

import math

import numpy as np
import pytest

from ml.evaluation.metrics import calibration_error, confidence_bins, evaluate, figures, fit_temperature
from ml.serving.engine import probabilities


def calibrated_answers(temperature: float, count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Return logits that are right as often as their softmax at ``temperature`` predicts, and the true labels."""
    rng = np.random.default_rng(7)
    logits = rng.normal(0, 3, (count, 2)).astype(np.float32)
    labels = (rng.random(count) < probabilities(logits, temperature)[:, 1]).astype(np.int8)
    return logits, labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 3.0])
def test_a_known_temperature_is_recovered(temperature: float) -> None:
    assert fit_temperature(*calibrated_answers(temperature)) == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize(("temperature", "bound"), [(0.05, 0.25), (20.0, 4.0)])
def test_a_temperature_out_of_range_is_clipped_to_the_bound(temperature: float, bound: float) -> None:
    assert fit_temperature(*calibrated_answers(temperature)) == pytest.approx(bound, rel=0.02)


def test_the_fitted_temperature_calibrates() -> None:
    logits, labels = calibrated_answers(3.0)
    before = figures(logits, labels, 1.0, 0.7)
    after = figures(logits, labels, fit_temperature(logits, labels), 0.7)
    assert before.calibration_error > 0.1
    assert after.calibration_error < 0.02
    assert after.log_loss < before.log_loss
    assert after.accuracy == before.accuracy


def test_well_calibrated_answers_have_no_calibration_error() -> None:
    confidence = np.repeat([0.6, 0.9], [50, 100]).astype(np.float32)
    right = np.array([True] * 30 + [False] * 20 + [True] * 90 + [False] * 10)
    assert calibration_error(confidence_bins(confidence, right)) == pytest.approx(0.0, abs=1e-6)


def test_overconfidence_is_a_calibration_error() -> None:
    right = np.array([True, False] * 50)
    assert calibration_error(confidence_bins(np.full(100, 0.99, np.float32), right)) == pytest.approx(0.49, abs=1e-6)
    assert calibration_error(confidence_bins(np.full(100, 1.0, np.float32), ~right & right)) == pytest.approx(1.0)


def test_overconfidence_and_underconfidence_do_not_cancel_out() -> None:
    confidence = np.repeat([0.6, 0.9], 100).astype(np.float32)
    right = np.concatenate([np.arange(100) < 80, np.arange(100) < 70])
    assert calibration_error(confidence_bins(confidence, right)) == pytest.approx(0.2, abs=1e-6)


def test_figures_of_four_answers() -> None:
    logits = np.array([[0.0, 2.0], [1.0, 0.0], [0.0, 0.4], [3.0, 0.0]], np.float32)
    labels = np.array([1, 0, 0, 0], np.int8)
    found = figures(logits, labels, temperature=1.0, unsure_below=0.7)
    probability_of_label = [1 / (1 + math.exp(-gap)) for gap in (2.0, 1.0, -0.4, 3.0)]
    assert found.reviews == 4
    assert found.accuracy == 0.75
    assert found.unsure == 0.25
    assert found.log_loss == pytest.approx(-sum(map(math.log, probability_of_label)) / 4, rel=1e-5)


def test_a_wrong_answer_at_probability_one_has_a_finite_loss() -> None:
    logits = np.array([[0.0, 500.0]], np.float32)
    found = figures(logits, np.array([0], np.int8), 1.0, 0.7)
    assert math.isfinite(found.log_loss)
    assert found.log_loss > 20


def test_probabilities_of_large_logits_neither_overflow_nor_drift() -> None:
    shares = probabilities(np.array([[1e4, -1e4], [-1e4, 1e4], [5.0, 5.0]], np.float32), 1.0)
    np.testing.assert_allclose(shares, [[1, 0], [0, 1], [0.5, 0.5]])
    halved = probabilities(np.array([[2.0, 0.0]], np.float32), 2.0)
    np.testing.assert_allclose(halved, probabilities(np.array([[1.0, 0.0]], np.float32), 1.0))


def margins(*values: float) -> np.ndarray:
    """Return logits with these margins: Positive minus Negative."""
    return np.array([[0.0, value] for value in values], np.float32)


def test_an_evaluation_of_six_answers() -> None:
    labels = np.array([1, 1, 1, 0, 0, 0], np.int8)
    found = evaluate(margins(3, 1, -1, 2, -2, -3), labels, temperature=2.0, unsure_below=0.7)
    assert found.confusion == ((2, 1), (1, 2))
    assert found.f1 == pytest.approx(2 / 3)
    # Of the nine pairs of a positive and a negative margin, (1, 2) and (-1, 2) are ranked wrongly.
    assert found.auc == pytest.approx(7 / 9)
    assert (found.served.temperature, found.uncalibrated.temperature) == (2.0, 1.0)
    assert found.served.figures == figures(margins(3, 1, -1, 2, -2, -3), labels, 2.0, 0.7)
    assert sum(each.reviews for each in found.served.bins) == 6
    assert found.interval is not None
    assert found.interval[0] < 2 / 3 < found.interval[1]


@pytest.mark.parametrize(("label", "f1"), [(1, 2 / 3), (0, 0.0)])
def test_auc_is_undefined_for_one_label(label: int, f1: float) -> None:
    found = evaluate(margins(2, -1), np.full(2, label, np.int8), 1.0, 0.7)
    assert found.auc is None
    assert found.f1 == pytest.approx(f1)


def test_one_correct_negative_text_has_neither_f1_nor_interval() -> None:
    found = evaluate(margins(-1), np.array([0], np.int8), 1.0, 0.7)
    assert (found.f1, found.auc, found.interval) == (None, None, None)
    assert found.served.figures.accuracy == 1.0


def test_answers_fall_into_the_bin_of_their_confidence() -> None:
    confidence = np.array([0.55, 0.58, 1.0], np.float32)
    low, high = confidence_bins(confidence, np.array([True, False, True]))
    assert (low.reviews, low.accuracy, low.confidence) == (2, 0.5, pytest.approx(0.565))
    assert low.low < 0.55
    assert low.high > 0.58
    assert (high.reviews, high.accuracy, high.confidence, high.high) == (1, 1.0, 1.0, 1.0)
