"""The frozen encoder, with the starter model."""

import numpy as np
import pytest
from paths import STARTER

from ml.serving import runtime
from ml.serving.engine import Classifier
from ml.training import frozen_features
from ml.training.frozen_features import FrozenEncoder

TEXTS = ["A quiet joy.", "Flat jokes, and too many of them.", "It plays my songs."]


@pytest.fixture(scope="module")
def starter() -> Classifier:
    return Classifier.load(STARTER, 1)


def test_the_logits_are_those_that_the_bot_would_serve(starter: Classifier) -> None:
    found = FrozenEncoder(starter, 1).read(TEXTS, lambda _: None)
    served, _ = starter.engine.logits(TEXTS)
    np.testing.assert_allclose(found.logits, served, atol=0.01)
    np.testing.assert_allclose(found.margins, served[:, 1] - served[:, 0], atol=0.02)


def test_each_text_is_read_once(starter: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[list[int]] = []

    def recorded(graph: object, tokenizer: object, texts: list[list[int]]) -> object:
        read.extend(texts)
        return runtime.window_means(graph, tokenizer, texts)  # type: ignore[arg-type]

    monkeypatch.setattr(frozen_features, "window_means", recorded)
    encoder = FrozenEncoder(starter, 1)
    counts: list[int] = []
    first = encoder.read(TEXTS[:2], counts.append)
    again = encoder.read([TEXTS[1], TEXTS[2], TEXTS[1]], counts.append)
    assert read == starter.engine.tokenizer.token_ids(TEXTS)
    assert sum(counts) == 5, "all texts count as progress"
    assert np.array_equal(again.vectors[0], first.vectors[1])
    assert np.array_equal(again.vectors[0], again.vectors[2])
    assert not np.array_equal(again.vectors[0], again.vectors[1])
