"""The records of a lane: kills, runs, the Redis outage, and the reader's findings."""

from dataclasses import dataclass

from benchmarks.chaos.plan import Moment, Victim
from storage.db.states import RunState


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: the victim, the planned moment, and the state of the run's row just before."""

    victim: Victim
    moment: Moment
    run_id: int
    state: RunState


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended.

    ``seconds`` are from the request to the end, ``promotions`` how often the gate promoted the candidate, ``kills`` the
    kills during the run, and ``trigger_words`` the number of words that the gate distrusted.
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
    """A Redis outage: the final states of the run ``during`` it and of the next run, which was sent no message.

    ``same_processes`` is whether worker and beat survived.
    """

    during: RunState
    after: RunState
    same_processes: bool


@dataclass(frozen=True, slots=True)
class LaneResult:
    """One lane: kills, runs, and the reader's findings.

    ``loads`` counts the live versions that were loaded completely, ``verified`` the folders that appeared in the store;
    ``refusals`` are error messages about either. ``ended_by_themselves`` counts workers and beats that ended without
    being killed. ``left_behind`` names folders of runs, files of unknown models and processes that remained at the end.
    ``lost`` is the error that ended the lane early.
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
