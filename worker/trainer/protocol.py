"""What a worker and its trainer tell each other: one job in, then events, a JSON object a line.

The job is the first line on the trainer's standard input, which stays open: its end means that the worker is gone, and
the trainer ends too. So people's texts go through a pipe and are never written to disk.
"""

import json
from dataclasses import asdict, dataclass
from typing import Self

from core.labelled_text import LabelledText
from worker.gate.measurements import Measured


@dataclass(frozen=True, slots=True)
class Job:
    """One training run as the trainer needs it; folders are absolute paths on this machine.

    ``recipe`` is a recipe's name, or the path of its file. ``base`` is the anchor's folder for a feedback round, for a
    full run an encoder's name or folder. ``work`` holds the checkpoint and takes the candidate, as ``work/candidate``.
    ``imdb`` is what IMDB_PATH says, None without it. ``champion`` is the folder of the live model. ``held_out`` are the
    judgements that never train, of this run and of earlier ones. ``gate_cache`` keeps the champion's gate logits.
    """

    run_id: int
    recipe: str
    base: str
    work: str
    champion: str
    imdb: str | None
    train: tuple[LabelledText, ...]
    held_out: tuple[LabelledText, ...]
    gate_cache: str

    @classmethod
    def read(cls, line: str) -> Self:
        """Read the job from its line."""
        facts = json.loads(line)
        for name in ("train", "held_out"):
            facts[name] = tuple(LabelledText(**row) for row in facts[name])
        return cls(**facts)

    def written(self) -> str:
        """The job as one line."""
        return json.dumps(asdict(self)) + "\n"


@dataclass(frozen=True, slots=True)
class Trained:
    """Event: steps done and in all, in how many epochs, and texts a second."""

    step: int
    steps: int
    epochs: int
    samples_per_second: float


@dataclass(frozen=True, slots=True)
class Evaluating:
    """Event: training is over, the candidate is published in ``work/candidate``, and is being measured."""

    version: str


@dataclass(frozen=True, slots=True)
class Done:
    """Event: the candidate's version, its manifest's sha256, and what was measured."""

    version: str
    manifest_sha256: str
    measured: Measured


@dataclass(frozen=True, slots=True)
class Tested:
    """Event, after ``Done``: how many official test reviews that decide nothing the candidate read, and read right."""

    reviews: int
    right: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Event, the last one: one sentence that a person can read, without a text of anybody's."""

    sentence: str


Event = Trained | Evaluating | Done | Tested | Failed
_KINDS: dict[str, type[Event]] = {kind.__name__.lower(): kind for kind in (Trained, Evaluating, Done, Tested, Failed)}


def write_event(event: Event) -> str:
    """An event as one line."""
    return json.dumps({"kind": type(event).__name__.lower(), **asdict(event)}) + "\n"


def read_event(line: str) -> Event:
    """Read an event from its line; raises ValueError for a line that is none."""
    try:
        facts = json.loads(line)
        kind = _KINDS[facts.pop("kind")]
        if kind is Done:
            facts["measured"] = Measured.read(facts["measured"])
        return kind(**facts)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no event: {line[:80]!r}") from error
