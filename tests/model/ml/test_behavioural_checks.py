"""The starter model's results on the behavioural checks."""

import numpy as np
import pytest
from paths import STARTER

from ml.evaluation.behavioural_checks import check_texts, pass_rates
from ml.evaluation.check_files import read_checks
from ml.serving.engine import Classifier, probabilities
from ml.text.labels import LABELS

CHECKS = read_checks()


@pytest.fixture(scope="module")
def positive() -> dict[str, float]:
    starter = Classifier.load(STARTER)
    texts = check_texts(CHECKS)
    logits = np.array([verdict.logits for verdict in starter.classify(texts)], np.float32)
    shares = probabilities(logits, starter.manifest.temperature)[:, LABELS.index("Positive")]
    return dict(zip(texts, shares.tolist(), strict=True))


def test_every_text_gets_a_verdict(positive: dict[str, float]) -> None:
    assert list(positive) == check_texts(CHECKS)
    assert all(0 < share < 1 for share in positive.values())


@pytest.mark.parametrize(
    ("name", "at_least"), [("vocabulary", 0.95), ("names", 0.9), ("facts", 0.85), ("contrast", 0.8)]
)
def test_the_starter_passes_most_cases(positive: dict[str, float], name: str, at_least: float) -> None:
    (rate,) = [rate for rate in pass_rates(CHECKS, positive) if rate.name == name]
    assert rate.passed >= at_least * rate.cases, rate.failures


def test_the_opposite_verdicts_fail(positive: dict[str, float]) -> None:
    opposite = {text: 1 - share for text, share in positive.items()}
    rates = {rate.name: rate for rate in pass_rates(CHECKS, opposite)}
    assert rates["vocabulary"].passed <= 0.05 * rates["vocabulary"].cases
    assert rates["intensity"].passed < rates["intensity"].cases
