"""The figures of all lanes of a transport, and what is wrong with any of them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.chaos.plan import Transport, Victim
from benchmarks.chaos.records import LaneReport, Outage, RunEnd
from benchmarks.common.provenance import Provenance
from storage.db.states import RunState
from storage.training.runs import MAX_ATTEMPTS

# What an attempt does not survive; the beat only sends messages.
_BREAKING = frozenset(Victim) - {Victim.BEAT}


@dataclass(frozen=True, slots=True)
class TransportReport:
    """What became of all runs on one transport; counts unless said otherwise.

    ``victims`` and ``states`` count kills by whom they met and by the state that the run was in, ``ends`` runs by the
    state that they ended in. ``lost`` are runs that did not end, ``most_promotions`` is the largest number of one run.
    ``faults`` are sentences, none when all is well. Seconds of a run are from asking to its end.
    """

    transport: Transport
    seconds: float
    kills: int
    victims: dict[str, int]
    states: dict[str, int]
    runs: int
    ends: dict[str, int]
    lost: int
    most_attempts: int
    promotions: int
    most_promotions: int
    loads: int
    verified: int
    refusals: tuple[str, ...]
    outages: tuple[Outage, ...]
    ended_by_themselves: int
    left_behind: tuple[str, ...]
    quiet_seconds: float
    """The median of a run that nothing happened to."""
    struck_seconds: float
    """The median of a run during which something was killed."""
    longest_seconds: float
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole benchmark; ``parameters`` and ``layers`` are the small network's."""

    provenance: Provenance
    seed: int
    lanes: int
    parameters: int
    layers: int
    transports: dict[str, TransportReport]


def summary(transport: Transport, lanes: Sequence[LaneReport], seconds: float) -> TransportReport:
    """Count what the lanes of a transport wrote down."""
    runs = [run for lane in lanes for run in lane.runs]
    kills = [kill for lane in lanes for kill in lane.kills]
    return TransportReport(
        transport=transport,
        seconds=round(seconds, 1),
        kills=len(kills),
        victims=dict(Counter(str(kill.victim) for kill in kills)),
        states=dict(Counter(str(kill.state) for kill in kills)),
        runs=len(runs) + sum(lane.lost is not None for lane in lanes),
        ends=dict(Counter(str(run.state) for run in runs)),
        lost=sum(lane.lost is not None for lane in lanes),
        most_attempts=max(run.attempts for run in runs),
        promotions=sum(run.promotions for run in runs),
        most_promotions=max(run.promotions for run in runs),
        loads=sum(lane.loads for lane in lanes),
        verified=sum(lane.verified for lane in lanes),
        refusals=tuple(refusal for lane in lanes for refusal in lane.refusals),
        outages=tuple(lane.outage for lane in lanes if lane.outage),
        ended_by_themselves=sum(lane.ended_by_themselves for lane in lanes),
        left_behind=tuple(name for lane in lanes for name in lane.left_behind),
        quiet_seconds=median(run.seconds for run in runs if not run.kills),
        struck_seconds=median(run.seconds for run in runs if run.kills),
        longest_seconds=max(run.seconds for run in runs),
        faults=tuple(f"{transport}: {fault}" for lane in lanes for fault in _faults(lane)),
    )


def _faults(lane: LaneReport) -> Iterator[str]:
    """What should not have happened in a lane."""
    if lane.lost:
        yield lane.lost
    for run in lane.runs:
        broken = sum(kill.run_id == run.run_id and kill.victim in _BREAKING for kill in lane.kills)
        yield from _faults_of(run, broken)
    yield from lane.refusals
    if lane.ended_by_themselves:
        yield f"worker or beat ended {lane.ended_by_themselves} times though nobody had killed them"
    yield from (f"{name} was left behind" for name in lane.left_behind)
    if lane.outage and not (lane.outage.same_processes and lane.outage.after is RunState.PROMOTED):
        yield f"after Redis was away, the next run ended {lane.outage.after}, or worker or beat had ended"


def _faults_of(run: RunEnd, broken: int) -> Iterator[str]:
    """What is wrong with a run during which ``broken`` kills may each have ended an attempt.

    The gate may hold a candidate for the words that the small network made too much of, whatever is killed.
    """
    distrusted = run.state is RunState.HELD and run.trigger_words
    if run.promotions != (run.state is RunState.PROMOTED):
        yield f"run {run.run_id} ended {run.state} and was promoted {run.promotions} times"
    if run.state is RunState.FAILED and broken < MAX_ATTEMPTS:
        yield f"run {run.run_id} failed after {broken} broken attempts: {run.error}"
    elif run.state not in (RunState.PROMOTED, RunState.FAILED) and not distrusted:
        yield f"run {run.run_id} ended {run.state}"
