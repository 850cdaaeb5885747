"""The review head of the starter, and of models that are fine-tuned and published again."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from paths import STARTER
from small_model import FineTuneResult

from ml.serving.artifact import verified_manifest
from ml.serving.engine import Classifier
from ml.serving.features import FeatureExtractor
from ml.serving.review_head import REVIEW_HEAD
from ml.training.add_review_head import add_review_head
from ml.training.review_head import Features, ReviewTexts, fit_review_head
from ml.training.training_set import TrainingExamples, TrainingSet

SMALL_TALK = [
    "See you at eight then.",
    "hi",
    "can you help me with my homework?",
    "The bus leaves at ten past nine from the station.",
    "I love you",
    "what's the weather like tomorrow",
]
REVIEWS = [
    "The plot makes no sense.",
    "A joy to watch.",
    "Lovely.",
    "Works great, and the sound fills the room.",
    "The soup was cold and the waiter was rude.",
    "I want my money back, it broke after a week.",
]


@pytest.fixture(scope="module")
def starter() -> Classifier:
    return Classifier.load(STARTER)


def test_small_talk_does_not_read_like_a_review(starter: Classifier) -> None:
    assert [verdict.is_review for verdict in starter.classify(SMALL_TALK)] == [False] * len(SMALL_TALK)


def test_reviews_read_like_reviews(starter: Classifier) -> None:
    assert [verdict.is_review for verdict in starter.classify(REVIEWS)] == [True] * len(REVIEWS)


def test_the_score_is_the_heads_on_the_mean_hidden_state(starter: Classifier) -> None:
    texts = [*SMALL_TALK, *REVIEWS, "It goes on and on, and I loved all of it. " * 60]
    head, outputs = starter.engine.review_head, starter.engine.outputs(texts)
    assert head is not None
    assert outputs.review_scores is not None
    assert outputs.windows[-1] > 1
    features = FeatureExtractor.load(STARTER, starter.engine.tokenizer, head.layer).features(texts)
    np.testing.assert_allclose(outputs.review_scores, features @ head.weights + head.bias, atol=0.05)


def test_a_fine_tuned_model_has_a_head(fine_tuned: FineTuneResult) -> None:
    assert REVIEW_HEAD in fine_tuned.manifest.files
    assert Classifier.load(fine_tuned.job.out).engine.review_head is not None


def test_a_published_model_gets_a_head_a_new_version_and_keeps_its_verdicts(
    fine_tuned: FineTuneResult, tmp_path: Path
) -> None:
    folder = shutil.copytree(fine_tuned.job.out, tmp_path / "model")
    old, texts = verified_manifest(folder), fine_tuned.job.training_set.examples.texts
    manifest = add_review_head(folder, texts)
    assert manifest.version != old.version
    assert verified_manifest(folder) == manifest
    before, after = Classifier.load(fine_tuned.job.out), Classifier.load(folder)
    assert [each.logits for each in after.classify(texts[:20])] == [each.logits for each in before.classify(texts[:20])]


# Lines that name something one could review. Most of them read like reviews to a head that never saw such lines.
_PLANS = [
    f"{what} {where}, {how}."
    for what in ("The new phone comes out", "The restaurant by the river reopens", "The film festival starts")
    for where in ("in March", "next week", "on Friday")
    for how in ("with twelve new dishes on the card", "according to the director", "with two cameras")
]
_ABOUT = ("The soup", "This phone", "The second film", "Our room", "The staff", "The ending")
_OPINIONS = [
    f"{what} {said}" for what in _ABOUT for said in ("was a joy.", "disappointed us badly.", "is the best yet!")
]


def test_the_head_learns_from_texts_that_people_say_are_not_reviews(starter: Classifier) -> None:
    learnt, unseen = _PLANS[::3], _PLANS[1::3]
    training_set = TrainingSet(TrainingExamples.from_labels(_OPINIONS, [0] * len(_OPINIONS)), {})

    def scores(not_reviews: list[str]) -> Features:
        """Return the unseen lines' scores relative to the threshold of a head fitted with ``not_reviews``."""
        texts = ReviewTexts.from_training_set(training_set.with_not_reviews(not_reviews))
        head = fit_review_head(STARTER, starter.engine.tokenizer, texts)
        features = FeatureExtractor.load(STARTER, starter.engine.tokenizer, head.layer).features(unseen)
        return features @ head.weights + head.bias - np.float32(head.threshold)

    before, after = scores([]), scores(learnt)
    assert (before - after).min() > 0.2
    assert (after < 0).sum() > (before < 0).sum()


def test_an_older_model_without_a_head_never_abstains(fine_tuned: FineTuneResult, tmp_path: Path) -> None:
    folder = shutil.copytree(fine_tuned.job.out, tmp_path / "model")
    (folder / REVIEW_HEAD).unlink()
    old = verified_manifest(fine_tuned.job.out)
    files = {name: digest for name, digest in old.files.items() if name != REVIEW_HEAD}
    from dataclasses import replace

    replace(old, files=files).write(folder)
    assert all(verdict.is_review for verdict in Classifier.load(folder).classify(SMALL_TALK))
