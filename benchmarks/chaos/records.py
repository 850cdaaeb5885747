"""What a lane records: kills, runs, the Redis outage, and the reader's findings."""

from dataclasses import dataclass

from benchmarks.chaos.plan import Moment, Victim
from storage.db.states import RunState


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: the victim, the planned moment, and the run's state just before the kill."""

    victim: Victim
    moment: Moment
    run_id: int
    state: RunState


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended.

    ``seconds`` is the time from the request to the end, and ``promotions`` is how many times the candidate was
    promoted. ``kills`` is the number of kills during the run, and ``trigger_words`` is the number of words that the
    gate distrusted.
    """

    run_id: int
    state: RunState
    attempts: int
    error: str | None
    seconds: float
    promotions: int
    kills: int
    trigger_words: int


@dataclass(frozen=True, slots=True)
class Outage:
    """The final states of two runs: one ``during`` a Redis outage, and one ``after`` it.

    The second run was requested without notifying the worker.

    ``same_processes`` says whether the worker and the beat survived.
    """

    during: RunState
    after: RunState
    same_processes: bool


@dataclass(frozen=True, slots=True)
class LaneResult:
    """The results of one lane: kills, runs, and the reader's findings.

    ``loads`` counts the live versions that were loaded completely, and ``verified`` counts the verified folders in the
    store. ``refusals`` lists the error messages from loading and verifying. ``ended_by_themselves`` counts workers and
    beats that exited without being killed. ``left_behind`` lists the run folders, the files of unregistered models and
    the processes that remained at the end. ``lost`` is the error that ended the lane early.
    """

    kills: tuple[Kill, ...]
    runs: tuple[RunOutcome, ...]
    outage: Outage | None
    loads: int
    verified: int
    refusals: tuple[str, ...]
    ended_by_themselves: int
    left_behind: tuple[str, ...]
    lost: str | None
