"""Defines the content of the learning loop's results file."""

from dataclasses import dataclass

from benchmarks.common.provenance import Provenance
from benchmarks.common.text_sets import TextSet
from benchmarks.learning.background_load import BackgroundLoad
from benchmarks.learning.people import VoteCounts
from benchmarks.learning.records import ConsensusCounts, RunFigures
from ml.evaluation.comparison import Comparison


@dataclass(frozen=True, slots=True)
class LearningRound:
    """One round.

    ``seconds`` contains the time for each step. The steps of a run are timed from ``/retrain`` to the message about the
    step.
    """

    sentences: int
    votes: VoteCounts
    judged: ConsensusCounts
    quarantine: str
    """First line of the reply to ``/quarantine`` before the run."""
    seconds: dict[str, float]
    run: RunFigures
    retrain_to_live: float | None
    """Seconds from ``/retrain`` to the candidate's first reply, or None if the candidate did not go live."""
    live_to_reply: float | None
    """The part of ``retrain_to_live`` after the candidate went live in the registry."""
    meanwhile: BackgroundLoad
    on_sentences: Comparison | None
    on_imdb: Comparison | None


@dataclass(frozen=True, slots=True)
class LearningLoopReport:
    """The content of ``benchmarks/results/learning_loop.json``. Accuracies and differences are shares from 0 to 1."""

    provenance: Provenance
    parameters: int
    people: int
    mistaken: float
    parts: dict[str, TextSet]
    shared_texts: int
    """Number of texts that are in more than one set, compared by fingerprint."""
    rounds: list[LearningRound]
