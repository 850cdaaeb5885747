"""Compares a candidate with the live model. Both models run exactly as they would be served."""

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
from ml.serving.chunked import Advance, Phases, logits_in_chunks, probabilities_in_chunks
from ml.serving.engine import Classifier, Logits, probabilities
from ml.text.labels import LABELS
from storage.db.states import RunPhase
from worker.gate.champion_cache import champion_logits
from worker.gate.gate_set import GateSet
from worker.gate.measurements import Measurements, PairedResult
from worker.gate.trigger_scan import find_triggers
from worker.gate.vote_rows import VoteRow


@dataclass(frozen=True, slots=True)
class GateTexts:
    """The texts that a candidate is evaluated on, apart from those with votes.

    ``gate_set`` is None if there are no IMDB reviews. ``new_texts`` are the corrections that were trained on, as a
    table with ``text`` and ``label``. ``gate_cache`` is the folder that caches the live model's logits. ``confidence``
    is the one-sided confidence level, 0 to 1.
    """

    gate_set: GateSet | None
    new_texts: pd.DataFrame
    gate_cache: Path
    confidence: float


@dataclass(frozen=True, slots=True)
class ModelPair:
    """The two published models to compare. ``phases`` counts the texts that they read, and can cancel by raising."""

    champion: Classifier
    candidate: Classifier
    phases: Phases

    @property
    def advance(self) -> Advance:
        """The callback to call between chunks of texts."""
        return self.phases.advance

    def logits(self, texts: Sequence[str]) -> tuple[Logits, Logits]:
        """Return the champion's and the candidate's logits (texts, labels)."""
        champion = logits_in_chunks(self.champion.engine, texts, self.advance)
        return champion, logits_in_chunks(self.candidate.engine, texts, self.advance)


def measure(pair: ModelPair, texts: GateTexts) -> Measurements:
    """Take all the measurements that the gate needs, except those on votes.

    Raise UnusableCheck if a behavioural check cannot be used, and any error that ``advance`` raises.
    """
    imdb, slices = _measure_gate_set(pair, texts)
    return Measurements(
        imdb=imdb,
        judgements=None,
        behaviour=_measure_behaviour(pair, texts),
        slices=slices,
        trigger_words=find_triggers(texts.new_texts, pair.champion, pair.candidate, pair.phases),
    )


def measure_on_votes(pair: ModelPair, voted: pd.DataFrame) -> tuple[VoteRow, ...]:
    """Return a row for each text in ``voted``. Neither model has trained on these texts.

    The table has ``message_id``, ``text`` and ``label`` (index into LABELS).
    """
    if voted.empty:
        return ()
    pair.phases.begin(RunPhase.VOTES, 2 * len(voted))
    before, after = pair.logits(voted["text"].tolist())
    labels = voted["label"].to_numpy(np.int8)
    champion, candidate = _correct(before, labels).tolist(), _correct(after, labels).tolist()
    rows = zip(voted["message_id"].tolist(), labels.tolist(), champion, candidate, strict=True)
    return tuple(VoteRow(message_id, LABELS[label], *correct) for message_id, label, *correct in rows)


def paired_result(before: Correctness, after: Correctness, confidence: float) -> PairedResult:
    """Count the texts that two models get right. Both arguments are bool (texts,) and have at least one text."""
    counts = count_pairs(before, after)
    return PairedResult(
        texts=counts.texts,
        champion_right=counts.first_right,
        candidate_right=counts.second_right,
        negative_flips=counts.negative_flips,
        positive_flips=counts.positive_flips,
        lower=paired_lower_bound(counts, confidence),
    )


def _measure_gate_set(pair: ModelPair, texts: GateTexts) -> tuple[PairedResult | None, dict[str, PairedResult]]:
    """Return the result on the gate set, and on its slices by length and by rating."""
    gate_set = texts.gate_set
    if gate_set is None:
        return None, {}
    pair.phases.begin(RunPhase.REVIEWS, len(gate_set.texts))
    champion = champion_logits(pair.champion, gate_set.texts, texts.gate_cache, pair.advance)
    before = _correct(champion, gate_set.labels)
    pair.phases.begin(RunPhase.REVIEWS, len(gate_set.texts))
    after = _correct(logits_in_chunks(pair.candidate.engine, gate_set.texts, pair.advance), gate_set.labels)
    groups = [(f"{name} words", rows) for name, rows in length_groups(gate_set.texts)]
    groups += [(f"rated {name}", rows) for name, rows in rating_groups(gate_set.ratings)]
    slices = {name: paired_result(before[rows], after[rows], texts.confidence) for name, rows in groups if rows.any()}
    return paired_result(before, after, texts.confidence), slices


def _measure_behaviour(pair: ModelPair, gate_texts: GateTexts) -> dict[str, PairedResult]:
    """Return the cases passed in each behavioural check, by name. Skip known-hard checks, which pass only by luck."""
    checks = [check for check in read_checks() if not check.known_hard]
    texts = check_texts(checks)
    pair.phases.begin(RunPhase.BEHAVIOUR, len(texts))
    logits = champion_logits(pair.champion, texts, gate_texts.gate_cache, pair.advance)
    before = probabilities(logits, pair.champion.manifest.temperature)
    pair.phases.begin(RunPhase.BEHAVIOUR, len(texts))
    after = probabilities_in_chunks(pair.candidate, texts, pair.advance)
    positive = LABELS.index("Positive")
    champion, candidate = (dict(zip(texts, found[:, positive].tolist(), strict=True)) for found in (before, after))
    results = {}
    for check in checks:
        passed_before = np.array([case.passes(champion) for case in check.cases])
        passed_after = np.array([case.passes(candidate) for case in check.cases])
        results[check.name] = paired_result(passed_before, passed_after, gate_texts.confidence)
    return results


def _correct(logits: Logits, labels: Labels) -> Correctness:
    correct: Correctness = logits.argmax(axis=1) == labels
    return correct
