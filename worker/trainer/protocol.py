"""The protocol between a worker and its trainer: one job in, events out, one JSON object per line.

The job is the first line on the trainer's standard input, which stays open. When the input closes, the worker is gone
and the trainer exits. People's texts go through this pipe and are never written to disk.
"""

import json
from dataclasses import asdict, dataclass
from typing import Self

from core.labelled_text import LabelledText
from worker.gate.measurements import Measurements
from worker.gate.vote_rows import VoteRow


@dataclass(frozen=True, slots=True)
class Job:
    """The description of a training run that the trainer receives. Folders are absolute paths on this machine.

    ``recipe`` is a recipe's name or the path of its file. ``base`` is the anchor's folder for a feedback round, and an
    encoder's name or folder for a full run. ``directory`` contains the checkpoint, and the candidate in the subfolder
    ``candidate``. ``imdb`` is the value of IMDB_PATH, or None if that setting is not set. ``champion`` is the folder of
    the live model. ``train`` are the corrections to train on. ``measure`` are the corrections that are used only to
    measure the models, because they exceed a person's quota. ``known`` are the messages in these two lists that the
    live model trained on. ``not_reviews`` are texts that people say are not reviews. The candidate's review head is
    fitted on these texts too. ``gate_cache`` is the folder that caches the champion's logits on the gate set.
    """

    run_id: int
    recipe: str
    base: str
    directory: str
    champion: str
    imdb: str | None
    train: tuple[LabelledText, ...]
    measure: tuple[LabelledText, ...]
    known: tuple[int, ...]
    not_reviews: tuple[str, ...]
    gate_cache: str

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Parse a job from its line."""
        facts = json.loads(line)
        for name in ("train", "measure"):
            facts[name] = tuple(LabelledText(**row) for row in facts[name])
        facts |= {name: tuple(facts[name]) for name in ("known", "not_reviews")}
        return cls(**facts)

    def to_line(self) -> str:
        """Return the job as one line."""
        return json.dumps(asdict(self)) + "\n"


@dataclass(frozen=True, slots=True)
class Progress:
    """Event: training steps done and in total, the number of epochs, and texts per second."""

    step: int
    steps: int
    epochs: int
    samples_per_second: float


@dataclass(frozen=True, slots=True)
class Phase:
    """Event: what the trainer is doing (a RunPhase), the number of texts done, and the total (0 if unknown)."""

    phase: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Evaluating:
    """Event: training is done, and the candidate in the job's directory is being evaluated."""

    version: str


@dataclass(frozen=True, slots=True)
class Done:
    """Event: the candidate has been evaluated.

    The event contains the candidate's version, its manifest's SHA-256, the measurements except ``judgements``, and the
    ``votes`` from which the worker derives ``judgements``.
    """

    version: str
    manifest_sha256: str
    measured: Measurements
    votes: tuple[VoteRow, ...]


@dataclass(frozen=True, slots=True)
class Tested:
    """Event after ``Done``: how many other official test reviews were classified, and how many of them correctly."""

    reviews: int
    right: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Event, always the last one: why the run failed, in one sentence that never quotes people's texts."""

    sentence: str


Event = Progress | Phase | Evaluating | Done | Tested | Failed
_KINDS: dict[str, type[Event]] = {
    kind.__name__.lower(): kind for kind in (Progress, Phase, Evaluating, Done, Tested, Failed)
}


def write_event(event: Event) -> str:
    """Return an event as one line."""
    return json.dumps({"kind": type(event).__name__.lower(), **asdict(event)}) + "\n"


def read_event(line: str) -> Event:
    """Parse an event from its line. Raise ValueError if the line is not an event."""
    try:
        facts = json.loads(line)
        kind = _KINDS[facts.pop("kind")]
        if kind is Done:
            facts["measured"] = Measurements.read(facts["measured"])
            facts["votes"] = tuple(VoteRow(**row) for row in facts["votes"])
        return kind(**facts)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an event: {line[:80]!r}") from error
