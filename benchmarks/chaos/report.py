"""Summarises the lanes of a transport and lists faults, which are events that should not have happened."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.chaos.plan import Transport, Victim
from benchmarks.chaos.records import LaneResult, Outage, RunOutcome
from benchmarks.common.provenance import Provenance
from storage.db.states import RunState
from storage.training.runs import MAX_ATTEMPTS

# Victims that break an attempt when they are killed. The beat is not among them, because it only sends messages.
_ATTEMPT_BREAKERS = frozenset(Victim) - {Victim.BEAT}


@dataclass(frozen=True, slots=True)
class TransportReport:
    """The results for one transport. Fields are counts unless noted otherwise.

    ``victims`` and ``states`` count kills by victim and by the run's state, and ``ends`` counts runs by final state.
    ``lost`` counts runs that did not end, and ``most_promotions`` is the largest number of promotions for one run.
    ``faults`` contains a sentence for each fault. A run's duration is in seconds, measured from the request to the end.
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
    """Median duration of the undisturbed runs."""
    struck_seconds: float
    """Median duration of the runs with kills."""
    longest_seconds: float
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChaosReport:
    """The content of ``benchmarks/results/chaos.json``. ``parameters`` and ``layers`` describe the small network."""

    provenance: Provenance
    seed: int
    lanes: int
    parameters: int
    layers: int
    transports: dict[str, TransportReport]


def summarise(transport: Transport, lanes: Sequence[LaneResult], seconds: float) -> TransportReport:
    """Return the combined figures for a transport's lanes. ``seconds`` is the total duration."""
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
        faults=tuple(f"{transport}: {fault}" for lane in lanes for fault in _lane_faults(lane)),
    )


def _lane_faults(lane: LaneResult) -> Iterator[str]:
    """Yield a sentence for each fault in a lane."""
    if lane.lost:
        yield lane.lost
    for run in lane.runs:
        broken = sum(kill.run_id == run.run_id and kill.victim in _ATTEMPT_BREAKERS for kill in lane.kills)
        yield from _run_faults(run, broken)
    yield from lane.refusals
    if lane.ended_by_themselves:
        yield f"worker or beat ended {lane.ended_by_themselves} times without being killed"
    yield from (f"{name} was left behind" for name in lane.left_behind)
    if lane.outage and not (lane.outage.same_processes and lane.outage.after is RunState.PROMOTED):
        yield f"after the Redis outage, the next run ended as {lane.outage.after}, or worker or beat had ended"


def _run_faults(run: RunOutcome, broken: int) -> Iterator[str]:
    """Yield a sentence for each fault in a run. ``broken`` is the number of attempts that kills can have ended.

    It is not a fault if the gate holds a candidate over distrusted words, because the small network overrates some
    words.
    """
    distrusted = run.state is RunState.HELD and run.trigger_words
    if run.promotions != (run.state is RunState.PROMOTED):
        yield f"run {run.run_id} ended as {run.state} and was promoted {run.promotions} times"
    if run.state is RunState.FAILED and broken < MAX_ATTEMPTS:
        yield f"run {run.run_id} failed after {broken} broken attempts: {run.error}"
    elif run.state not in (RunState.PROMOTED, RunState.FAILED) and not distrusted:
        yield f"run {run.run_id} ended as {run.state}"
