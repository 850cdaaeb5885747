"""The report of the learning loop, as its results file holds it."""

from dataclasses import dataclass

from benchmarks.common.provenance import Provenance
from benchmarks.common.text_sets import TextSet
from benchmarks.learning.background_load import BackgroundLoad
from benchmarks.learning.people import VoteCounts
from benchmarks.learning.records import ConsensusCounts, RunFigures
from ml.evaluation.comparison import Comparison


@dataclass(frozen=True, slots=True)
class LearningRound:
    """One round; ``seconds`` are by step, those of the run counted from ``/retrain`` to when the chat shows them."""

    sentences: int
    votes: VoteCounts
    judged: ConsensusCounts
    quarantine: str
    """The first line of ``/quarantine`` before the run."""
    seconds: dict[str, float]
    run: RunFigures
    retrain_to_live: float | None
    """Seconds to the first reply that names the candidate; None if it did not go live."""
    live_to_reply: float | None
    """The part of ``retrain_to_live`` after the registry made the candidate live."""
    meanwhile: BackgroundLoad
    on_sentences: Comparison | None
    on_imdb: Comparison | None


@dataclass(frozen=True, slots=True)
class LearningLoopReport:
    """The content of ``benchmarks/results/learning_loop.json``; accuracies and differences are shares from 0 to 1."""

    provenance: Provenance
    parameters: int
    people: int
    mistaken: float
    parts: dict[str, TextSet]
    shared_texts: int
    """Texts, compared by fingerprint, that are in more than one of the parts."""
    rounds: list[LearningRound]
