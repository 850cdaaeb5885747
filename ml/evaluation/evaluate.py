"""Measures a published model on labelled reviews: asks it once, then works out every figure from its answers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.data.doubtful_labels import doubtful_rows
from ml.data.sources import source_name
from ml.data.splits import official_split
from ml.evaluation.behavioural_checks import PassRate, checked_texts, pass_rates, read_checks
from ml.evaluation.comparison import Comparison, compare
from ml.evaluation.metrics import Evaluation, Labels, evaluate
from ml.evaluation.slices import Slice, by_length, by_rating
from ml.serving.artifact import replays_checks
from ml.serving.chunked import Advance, logits_in_chunks
from ml.serving.engine import Classifier, Engine, Logits, probabilities
from ml.text.fingerprints import digest


@dataclass(frozen=True, slots=True)
class LabelledReviews:
    """The reviews that models are measured on: texts and labels in one order, and where they come from.

    ``ratings`` (reviews,) is NaN where a review has none, and None where the file has none. ``doubtful`` (reviews,)
    marks the labels that people do not agree with; None without a list of them.
    """

    file: str
    file_digest: str
    part: str | None
    texts: list[str]
    labels: Labels
    ratings: npt.NDArray[np.float64] | None
    doubtful: npt.NDArray[np.bool_] | None

    @classmethod
    def choose(cls, table: pd.DataFrame, path: Path, part: str, doubtful: Path | None) -> Self:
        """The official ``part`` of a table read from ``path``, or all of one that names no parts.

        Raises MissingPart, and what ``doubtful_rows`` raises of the list at ``doubtful``.
        """
        reviews = official_split(table, part)
        return cls(
            file=source_name(path),
            file_digest=digest(table["text"]),
            part=part if "split" in table else None,
            texts=reviews["text"].tolist(),
            labels=reviews["label"].to_numpy(np.int8),
            ratings=ratings_of(reviews),
            doubtful=None if doubtful is None else doubtful_rows(doubtful, reviews, path),
        )

    def facts(self) -> dict[str, Any]:
        """What the figures' readers need to know of the reviews; the digest covers the normalised texts."""
        return {
            "file": self.file,
            "part": self.part,
            "reviews": len(self.texts),
            "positive": int(self.labels.sum()),
            "digest": digest(self.texts),
        }

    def trained(self, data: dict[str, Any]) -> bool:
        """Whether a fine-tune on ``data``, as its manifest tells it, has seen some of these reviews.

        One that left no test part alone has seen some of every part.
        """
        every_part = data.get("test", {}).get("reviews") == 0
        return (every_part or self.part in {None, "train"}) and data.get("file_digest") == self.file_digest


@dataclass(frozen=True, slots=True)
class Answers:
    """What one published model said: logits (reviews, labels) as served and, where asked for, in float32."""

    model: str
    version: str
    temperature: float
    unsure_below: float
    trained_on_them: bool
    logits: Logits
    float32: Logits | None
    checks: tuple[PassRate, ...]
    trained_on_checks: bool = False


@dataclass(frozen=True, slots=True)
class Measurement:
    """Every figure of one model. Slices and comparison are of the model as served."""

    model: str
    version: str
    trained_on_them: bool
    """Whether reviews measured on were fine-tuned on too: then the figures are better than on new ones."""
    on_all: Evaluation
    without_doubtful: Evaluation | None
    by_length: tuple[Slice, ...]
    by_rating: tuple[Slice, ...]
    from_float32: Comparison | None
    """From the float32 graph (first) to the served int8 one (second)."""
    checks: tuple[PassRate, ...]
    trained_on_checks: bool = False
    """Whether a feedback round without reviews was shown the checks' texts: then they say less of it."""

    @property
    def name(self) -> str:
        """The folder's name and the version."""
        return f"{self.model} ({self.version})"


def questions(reviews: LabelledReviews, with_float32: bool) -> int:
    """How many texts ``ask`` will answer."""
    return len(reviews.texts) * (1 + with_float32) + len(checked_texts(read_checks()))


def answer_texts(classifier: Classifier, reviews: LabelledReviews, with_float32: bool, advance: Advance) -> Answers:
    """Let a model answer the reviews and the behavioural checks; raises UnusableCheck."""
    manifest = classifier.manifest
    checks = read_checks()
    texts = checked_texts(checks)
    positive = probabilities(logits_in_chunks(classifier.engine, texts, advance), manifest.temperature)[:, 1].tolist()
    float32 = None
    if with_float32:
        how = (manifest.window, manifest.overlap, manifest.reading)
        float32 = logits_in_chunks(Engine.load(classifier.folder, *how, precision="float32"), reviews.texts, advance)
    return Answers(
        model=classifier.folder.resolve().name,
        version=manifest.version,
        temperature=manifest.temperature,
        unsure_below=manifest.unsure_below,
        trained_on_them=reviews.trained(manifest.data),
        logits=logits_in_chunks(classifier.engine, reviews.texts, advance),
        float32=float32,
        checks=tuple(pass_rates(checks, dict(zip(texts, positive, strict=True)))),
        trained_on_checks=replays_checks(manifest.data),
    )


def measure(answers: Answers, reviews: LabelledReviews) -> Measurement:
    """Work out every figure."""
    labels, logits = reviews.labels, answers.logits
    calibration = (answers.temperature, answers.unsure_below)
    right = logits.argmax(axis=1) == labels
    kept = None if reviews.doubtful is None or reviews.doubtful.all() else ~reviews.doubtful
    names = ("float32", "int8")
    return Measurement(
        model=answers.model,
        version=answers.version,
        trained_on_them=answers.trained_on_them,
        on_all=evaluate(logits, labels, *calibration),
        without_doubtful=None if kept is None else evaluate(logits[kept], labels[kept], *calibration),
        by_length=by_length(reviews.texts, right),
        by_rating=by_rating(reviews.ratings, right),
        from_float32=None if answers.float32 is None else compare(names, answers.float32, logits, labels),
        checks=answers.checks,
        trained_on_checks=answers.trained_on_checks,
    )


def ratings_of(reviews: pd.DataFrame) -> npt.NDArray[np.float64] | None:
    """The column ``rating`` (reviews,), NaN where it is no number; None where there is no rating at all."""
    for column in reviews:
        if str(column).strip().lower() == "rating":
            values = pd.to_numeric(reviews[column], errors="coerce").to_numpy(np.float64)
            return None if np.isnan(values).all() else values
    return None
