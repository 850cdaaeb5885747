"""What a lane writes down."""

from dataclasses import dataclass

from benchmarks.chaos.plan import Moment, Victim
from storage.db.states import RunState


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill as it happened: whom, the moment it was planned for, and the run's state by its row just before."""

    victim: Victim
    moment: Moment
    run_id: int
    state: RunState


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended.

    ``seconds`` are from its asking to its end, ``promotions`` how often its candidate went live by the gate's word,
    ``kills`` how often something was killed meanwhile, ``trigger_words`` how many words the gate distrusted.
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
    """Redis was away in the middle of a run: how that run ended, and the next, of which no message told.

    ``same_processes`` says that worker and beat are those from before.
    """

    during: RunState
    after: RunState
    same_processes: bool


@dataclass(frozen=True, slots=True)
class LaneReport:
    """One lane: what happened, what the reader saw, and what is left.

    ``loads`` counts the live versions that were loaded fully, ``verified`` the folders that appeared in the store;
    ``refusals`` are the sentences that say what was wrong with any. ``ended_by_themselves`` counts workers and beats
    that ended though nobody killed them. ``left_behind`` names folders of runs, files of unknown models and processes
    that were there after all had ended.
    """

    kills: tuple[Kill, ...]
    runs: tuple[RunEnd, ...]
    outage: Outage | None
    loads: int
    verified: int
    refusals: tuple[str, ...]
    ended_by_themselves: int
    left_behind: tuple[str, ...]
    lost: str | None
