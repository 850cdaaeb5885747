"""Measures a candidate beside the live model, both as they are served: the figures that the gate decides by."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ml.evaluation.behavioural_checks import check_texts
from ml.evaluation.check_files import read_checks
from ml.evaluation.intervals import paired_lower_bound
from ml.evaluation.metrics import Labels
from ml.evaluation.paired_counts import count_pairs
from ml.evaluation.slices import Correctness, length_groups, rating_groups
from ml.serving.chunked import Advance, logits_in_chunks, probabilities_in_chunks
from ml.serving.engine import Classifier, Logits
from ml.text.labels import LABELS
from worker.gate.gate_set import GateSet
from worker.gate.measurements import Measured, Paired
from worker.gate.trigger_scan import scan


@dataclass(frozen=True, slots=True)
class GateTexts:
    """What a candidate is measured by.

    ``gate_set`` is None without IMDB. ``held_out`` are judged texts that never trained, ``new`` those that did, both as
    tables with ``text`` and ``label``. ``gate_cache`` keeps the live model's answers; ``confidence`` is one-sided.
    """

    gate_set: GateSet | None
    held_out: pd.DataFrame
    new: pd.DataFrame
    gate_cache: Path
    confidence: float


@dataclass(frozen=True, slots=True)
class ModelPair:
    """Two published models, and the look between their answers."""

    champion: Classifier
    candidate: Classifier
    advance: Advance

    def on(self, texts: Sequence[str]) -> tuple[Logits, Logits]:
        """The logits of the champion and of the candidate."""
        return logits_in_chunks(self.champion.engine, texts, self.advance), logits_in_chunks(
            self.candidate.engine, texts, self.advance
        )


def measure(pair: ModelPair, asked: GateTexts) -> Measured:
    """Everything that the gate wants to know; raises UnusableCheck."""
    judgements = None
    if len(asked.held_out):
        before, after = pair.on(asked.held_out["text"].tolist())
        labels = asked.held_out["label"].to_numpy(np.int8)
        judgements = paired(_right(before, labels), _right(after, labels), asked.confidence)
    imdb, slices = _on_gate_set(pair, asked)
    return Measured(
        imdb=imdb,
        judgements=judgements,
        behaviour=_behaviour(pair, asked.confidence),
        slices=slices,
        trigger_words=scan(asked.new, pair.champion, pair.candidate, pair.advance),
    )


def paired(before: Correctness, after: Correctness, confidence: float) -> Paired:
    """Count what two models get right on the same texts (texts,); at least one text."""
    counts = count_pairs(before, after)
    return Paired(
        texts=counts.texts,
        champion_right=counts.first_right,
        candidate_right=counts.second_right,
        negative_flips=counts.negative_flips,
        positive_flips=counts.positive_flips,
        lower=paired_lower_bound(counts, confidence),
    )


def _on_gate_set(pair: ModelPair, asked: GateTexts) -> tuple[Paired | None, dict[str, Paired]]:
    """Figures on the gate set, and on its parts by length and by rating."""
    gate_set = asked.gate_set
    if gate_set is None:
        return None, {}
    before = _right(gate_set.champion_logits(pair.champion, asked.gate_cache, pair.advance), gate_set.labels)
    after = _right(logits_in_chunks(pair.candidate.engine, gate_set.texts, pair.advance), gate_set.labels)
    groups = [(f"{name} words", rows) for name, rows in length_groups(gate_set.texts)]
    groups += [(f"rated {name}", rows) for name, rows in rating_groups(gate_set.ratings)]
    slices = {name: paired(before[rows], after[rows], asked.confidence) for name, rows in groups if rows.any()}
    return paired(before, after, asked.confidence), slices


def _behaviour(pair: ModelPair, confidence: float) -> dict[str, Paired]:
    """Cases passed of each behavioural check, by its name; what is known as hard is passed by luck, and left out."""
    checks = [check for check in read_checks() if not check.known_hard]
    texts = check_texts(checks)
    answers = [
        dict(
            zip(
                texts,
                probabilities_in_chunks(model, texts, pair.advance)[:, LABELS.index("Positive")].tolist(),
                strict=True,
            )
        )
        for model in (pair.champion, pair.candidate)
    ]
    found = {}
    for check in checks:
        before, after = (np.array([case.passes(positive) for case in check.cases]) for positive in answers)
        found[check.name] = paired(before, after, confidence)
    return found


def _right(logits: Logits, labels: Labels) -> Correctness:
    right: Correctness = logits.argmax(axis=1) == labels
    return right
