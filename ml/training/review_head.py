"""Fits a published model's review head, which tells short opinions and excerpts of reviews from everyday lines."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from ml.bert.config import BertConfig
from ml.data.everyday_lines import everyday_lines, short_opinions
from ml.serving.features import FeatureExtractor
from ml.serving.review_head import ReviewHead
from ml.text.characters import LINE_BREAK
from ml.text.tokenization import WindowTokenizer
from ml.training.training_set import TrainingSet

# Chosen on development data (docs/decisions/0025-sense-before-a-verdict.md).
_LAYER_SHARE: Final = 0.5
_REGULARISATION: Final = 0.01
# How many times a text by the bot's own users counts, compared with other texts.
_PEOPLE: Final = 5.0
REFUSED_SHARE: Final = 0.03
"""The share of the fitted reviews that the threshold rejects. Each review is scored by a head that was not fitted on
it."""

EXCERPTS: Final = 900
_FOLDS: Final = 5
_SEED: Final = 17
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
# Number of sentences in an excerpt. People mostly send short reviews.
_LENGTHS: Final = (1, 1, 1, 2, 3, 5)

Features = npt.NDArray[np.float32]
Counts = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReviewTexts:
    """Texts to fit a review head on: reviews, and lines that are not reviews.

    ``corrected`` are reviews by the bot's own users, and ``not_reviews`` are texts that people say are not reviews.
    """

    reviews: Sequence[str]
    others: Sequence[str]
    corrected: Sequence[str] = ()
    not_reviews: Sequence[str] = ()

    @classmethod
    def from_reviews(cls, reviews: Sequence[str]) -> "ReviewTexts":
        """Use excerpts of ``reviews``, which should be training texts, and the lines that come with the program."""
        return cls([*short_opinions(), *excerpts(reviews, EXCERPTS)], everyday_lines())

    @classmethod
    def from_training_set(cls, training_set: TrainingSet) -> "ReviewTexts":
        """Use the training texts, and add people's own: up to ``EXCERPTS`` corrected texts, and all non-reviews."""
        corrected = training_set.corrections["text"].tolist()
        kept = random.Random(_SEED).sample(corrected, min(EXCERPTS, len(corrected)))  # noqa: S311 - as below
        texts = cls.from_reviews(training_set.examples.texts)
        return replace(texts, corrected=kept, not_reviews=training_set.not_reviews)


def excerpts(reviews: Sequence[str], count: int) -> list[str]:
    """Return up to ``count`` excerpts of one to five sentences, each from a different review."""
    draw = random.Random(_SEED)  # noqa: S311 - not for cryptography
    found = []
    for review in draw.sample(list(reviews), min(count, len(reviews))):
        sentences = [each for each in _SENTENCE_END.split(LINE_BREAK.sub(" ", review).strip()) if " " in each]
        if sentences:
            start = draw.randrange(len(sentences))
            found.append(" ".join(sentences[start : start + draw.choice(_LENGTHS)]))
    return found


def fit_review_head(folder: Path, tokenizer: WindowTokenizer, texts: ReviewTexts) -> ReviewHead:
    """Fit a head for the encoder in ``folder``, and choose its threshold by cross-validation."""
    layer = round(BertConfig.read(folder).num_hidden_layers * _LAYER_SHARE)
    parts = (texts.reviews, texts.corrected, texts.others, texts.not_reviews)
    features = FeatureExtractor.load(folder, tokenizer, layer).features([text for part in parts for text in part])
    sizes = [len(part) for part in parts]
    is_review = np.repeat([True, True, False, False], sizes)
    counts = np.repeat([1.0, _PEOPLE, 1.0, _PEOPLE], sizes)
    weights, bias = _fit(features, is_review, counts)
    threshold = float(np.quantile(_held_out_scores(features, is_review, counts)[is_review], REFUSED_SHARE))
    return ReviewHead(layer, weights, bias, threshold)


def _held_out_scores(features: Features, is_review: npt.NDArray[np.bool_], counts: Counts) -> Features:
    scores = np.empty(len(features), np.float32)
    for fitted, held_out in StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED).split(features, is_review):
        weights, bias = _fit(features[fitted], is_review[fitted], counts[fitted])
        scores[held_out] = features[held_out] @ weights + bias
    return scores


def _fit(features: Features, is_review: npt.NDArray[np.bool_], counts: Counts) -> tuple[Features, float]:
    """Return the weights and the bias of a logistic regression, for features that are not standardised."""
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-6
    model = LogisticRegression(C=_REGULARISATION, class_weight="balanced", max_iter=200)
    model.fit((features - mean) / deviation, is_review, counts)
    weights = (model.coef_[0] / deviation).astype(np.float32)
    return weights, float(model.intercept_[0] - mean @ weights)
