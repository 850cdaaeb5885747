"""Evaluates a published model, or the plain run, on all sets in one half."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.common.provenance import Provenance, provenance
from benchmarks.domains.distinct_texts import IMDB
from benchmarks.domains.plain_predictions import PlainPredictions
from benchmarks.domains.set_figures import Answers, Difference, SetFigures, paired_difference, set_figures
from ml.evaluation.behavioural_checks import check_texts, pass_rates
from ml.evaluation.check_files import read_checks
from ml.serving.chunked import Advance, probabilities_in_chunks
from ml.serving.engine import Classifier, probabilities

Sets = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """One model's figures on all sets in one half."""

    sets: dict[str, SetFigures]
    domains_together: SetFigures
    """Figures on the texts of all four domains, treated as one set."""
    mean_balanced_accuracy: float
    """The mean over the four domains, weighted equally."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A published model's figures, and how they differ from the plain run's."""

    version: str
    temperature: float
    unsure_below: float
    window: int
    figures: ModelFigures
    differences: dict[str, Difference]
    """The difference from the plain run on each set that the plain run was not fine-tuned on."""
    checks_passed: int
    checks: int
    """Number of cases in all behavioural checks."""
    provenance: Provenance


def evaluate_model(folder: Path, sets: Sets, plain: Mapping[str, Answers], advance: Advance) -> Evaluation:
    """Evaluate the published model in ``folder`` as it is served.

    ``plain`` maps the name of a set to the plain run's answers.
    """
    classifier = Classifier.load(folder)
    manifest = classifier.manifest
    answers = {
        name: Answers(
            probabilities_in_chunks(classifier, table["text"].tolist(), advance),
            table["label"].to_numpy(np.int8),
            manifest.unsure_below,
        )
        for name, table in sets.items()
    }
    passed, cases = _count_checks(classifier, advance)
    return Evaluation(
        version=manifest.version,
        temperature=manifest.temperature,
        unsure_below=manifest.unsure_below,
        window=manifest.window,
        figures=model_figures(answers),
        differences={
            name: paired_difference(first.right, answers[name].right, first.labels) for name, first in plain.items()
        },
        checks_passed=passed,
        checks=cases,
        provenance=provenance("openvino", "tokenizers", "numpy"),
    )


def plain_answers(predictions: PlainPredictions, sets: Sets) -> dict[str, Answers]:
    """Return the plain run's answers on the domains in ``sets``, at temperature 1, without a threshold."""
    read = {name: table for name, table in sets.items() if name != IMDB}
    return {
        name: Answers(
            probabilities(predictions.logits(table["fingerprint"].tolist()), 1.0),
            table["label"].to_numpy(np.int8),
            unsure_below=0.0,
        )
        for name, table in read.items()
    }


def model_figures(answers: Mapping[str, Answers]) -> ModelFigures:
    """Return the figures for the answers on each set."""
    domains = [each for name, each in answers.items() if name != IMDB]
    sets = {name: set_figures(each) for name, each in answers.items()}
    return ModelFigures(
        sets=sets,
        domains_together=set_figures(
            Answers(
                np.concatenate([each.shares for each in domains]),
                np.concatenate([each.labels for each in domains]),
                domains[0].unsure_below,
            )
        ),
        mean_balanced_accuracy=float(np.mean([each.balanced_accuracy for name, each in sets.items() if name != IMDB])),
    )


def _count_checks(classifier: Classifier, advance: Advance) -> tuple[int, int]:
    """Return how many behavioural cases the model passes, and the total number of cases."""
    checks = read_checks()
    texts = check_texts(checks)
    positive = probabilities_in_chunks(classifier, texts, advance)[:, 1].tolist()
    rates = pass_rates(checks, dict(zip(texts, positive, strict=True)))
    return sum(rate.passed for rate in rates), sum(rate.cases for rate in rates)
