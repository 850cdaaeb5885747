"""Measures what the review head learns from people who say that texts are not reviews.

    python -m benchmarks.serving.not_review_votes --data FOLDER

In each draw, people say that half of Sentiment140's neutral tweets are not reviews, and the head is fitted again in the
same way as in a training run. Then both heads read the other half of the tweets, and reviews from the reported halves
of the domains. The corrected texts are opinions from the development halves.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.common.mean_interval import MeanInterval, mean_interval
from benchmarks.common.options import add_out_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from benchmarks.domains.distinct_texts import DOMAINS, half_of
from benchmarks.serving.sense import NEUTRAL
from core.paths import STARTER
from ml.data.reviews import read_reviews, read_table
from ml.data.sources import find_reviews
from ml.serving.engine import Classifier
from ml.serving.features import FeatureExtractor
from ml.serving.review_head import ReviewHead
from ml.text.fingerprints import digest, fingerprint
from ml.training.dataset_splits import DatasetSplits
from ml.training.recipe import Recipe
from ml.training.review_head import Features, ReviewTexts, fit_review_head
from ml.training.training_set import TrainingSet

_CORRECTED: Final = 100
_TWEETS: Final = "sentiment140"


@dataclass(frozen=True, slots=True)
class Refused:
    """The shares (0 to 1) of texts that a head refuses: of the other neutral tweets, and of the reviews by set."""

    neutral_tweets: float
    reviews: dict[str, float]


@dataclass(frozen=True, slots=True)
class Draw:
    """The shares before and after one draw's votes. ``votes`` is the number of neutral tweets with a vote."""

    votes: int
    corrected: int
    before: Refused
    after: Refused


@dataclass(frozen=True, slots=True)
class NotReviewVotesReport:
    """The content of ``benchmarks/results/not_review_votes.json``. Gains are differences of shares (0 to 1)."""

    provenance: Provenance
    version: str
    neutral_tweets: str
    """The digest of the neutral tweets."""
    draws: list[Draw]
    gain: MeanInterval
    """The gain in neutral tweets that are refused."""
    lost: dict[str, MeanInterval]
    """The increase in the share of reviews refused, for each set."""


@dataclass(frozen=True, slots=True)
class _Texts:
    """All texts, by what they are for."""

    training_set: TrainingSet
    neutral: list[str]
    opinions: pd.DataFrame
    reviews: Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class _Reader:
    """A head, and the features (texts, hidden size) of the reviews by set, which all heads share."""

    head: ReviewHead
    extractor: FeatureExtractor
    reviews: Mapping[str, Features]

    @classmethod
    def load(cls, classifier: Classifier, head: ReviewHead, reviews: Mapping[str, list[str]]) -> Self:
        """Compute the features of the ``reviews`` by set."""
        extractor = FeatureExtractor.load(classifier.folder, classifier.engine.tokenizer, head.layer)
        return cls(head, extractor, {name: extractor.features(texts) for name, texts in reviews.items()})

    def refused(self, neutral_tweets: list[str]) -> Refused:
        """Return the shares of the neutral tweets and of the reviews that the head refuses."""
        reviews = {name: self._share(features) for name, features in self.reviews.items()}
        return Refused(self._share(self.extractor.features(neutral_tweets)), reviews)

    def _share(self, features: Features) -> float:
        return float((features @ self.head.weights + self.head.bias < self.head.threshold).mean())


def main() -> None:
    """Measure, write and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving.not_review_votes", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with imdb.parquet and the domains' files")
    parser.add_argument("--model", type=Path, default=STARTER, help="folder of a published model")
    parser.add_argument("--draws", type=int, default=5, help="number of draws, at least 2")
    add_out_option(parser, "not_review_votes")
    given = parser.parse_args()
    if given.draws < 2:
        parser.error("--draws must be at least 2, because the results include an interval over the draws")
    classifier, texts = Classifier.load(given.model), _read_texts(given.data)
    before = _Reader.load(classifier, _fit(classifier, texts.training_set), texts.reviews)
    with Progress(transient=True) as bar:
        seeds = bar.track(range(given.draws), description="Draws")
        draws = [_draw(classifier, texts, before, seed) for seed in seeds]
    report = NotReviewVotesReport(
        provenance=provenance("openvino", "numpy", "scikit-learn"),
        version=classifier.version,
        neutral_tweets=digest(texts.neutral),
        draws=draws,
        gain=mean_interval([draw.after.neutral_tweets - draw.before.neutral_tweets for draw in draws]),
        lost={
            name: mean_interval([draw.after.reviews[name] - draw.before.reviews[name] for draw in draws])
            for name in texts.reviews
        },
    )
    write_results(given.out, report)
    _print(report)


def _read_texts(folder: Path) -> _Texts:
    tables = {name: _distinct(read_table(folder / domain.file)) for name, domain in DOMAINS.items()}
    tweets = tables[_TWEETS]
    source = find_reviews(folder / "imdb.parquet")
    splits = DatasetSplits.from_reviews(read_reviews(source), source, Recipe.load("default"), None)
    opinions = [_half(table, "development") for table in tables.values()]
    return _Texts(
        training_set=splits.training_set(None),
        neutral=tweets.loc[tweets["label"] == NEUTRAL, "text"].tolist(),
        opinions=pd.concat(opinions, ignore_index=True),
        reviews={name: _half(table, "reported")["text"].tolist() for name, table in tables.items()},
    )


def _distinct(table: pd.DataFrame) -> pd.DataFrame:
    return table[~table["text"].map(fingerprint).duplicated()]


def _half(table: pd.DataFrame, half: str) -> pd.DataFrame:
    """Return the opinions in one half."""
    opinions = table[table["label"] != NEUTRAL]
    return opinions[opinions["text"].map(lambda text: half_of(fingerprint(text))) == half]


def _draw(classifier: Classifier, texts: _Texts, before: _Reader, seed: int) -> Draw:
    order = [texts.neutral[row] for row in np.random.default_rng(seed).permutation(len(texts.neutral))]
    voted, unseen = order[: len(order) // 2], order[len(order) // 2 :]
    # The review head does not use the labels.
    corrected = texts.opinions.sample(_CORRECTED, random_state=seed)[["text"]].assign(label=0)
    training_set = replace(texts.training_set, corrections=corrected).with_not_reviews(voted)
    after = replace(before, head=_fit(classifier, training_set))
    return Draw(len(voted), len(corrected), before.refused(unseen), after.refused(unseen))


def _fit(classifier: Classifier, training_set: TrainingSet) -> ReviewHead:
    """Fit a head in the same way as a training run."""
    texts = ReviewTexts.from_training_set(training_set)
    return fit_review_head(classifier.folder, classifier.engine.tokenizer, texts)


def _print(report: NotReviewVotesReport) -> None:
    table = Table("texts", "refused before", "refused after", "change in points (95% interval)")
    rows = {"neutral tweets": ([each.before.neutral_tweets for each in report.draws], report.gain)}
    rows |= {name: ([each.before.reviews[name] for each in report.draws], lost) for name, lost in report.lost.items()}
    for name, (before, change) in rows.items():
        mean = float(np.mean(before))
        interval = f"{change.mean:+.1%} ({change.low:+.1%} to {change.high:+.1%})"
        table.add_row(name, f"{mean:.1%}", f"{mean + change.mean:.1%}", interval)
    Console().print(table)


if __name__ == "__main__":
    main()
