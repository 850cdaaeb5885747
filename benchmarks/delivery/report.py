"""Summarises the segments in each lane, and lists faults, which are events that should not have happened."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from benchmarks.common.provenance import Provenance
from benchmarks.delivery.people import Load, WireFault
from benchmarks.delivery.plan import Lane

MAX_UNCERTAIN: Final = 0.005
"""Largest acceptable share of texts with uncertain replies, over all lanes of Thumbs."""
MIN_RATE: Final = 0.95
"""Smallest acceptable ratio of the answer rate after an outage to the rate before it."""


@dataclass(frozen=True, slots=True)
class LaneReport:
    """The results of one lane, as counts unless noted otherwise.

    ``victims`` and ``moments`` count the kills by victim and by moment. ``during_work`` counts the kills that left an
    update unhandled or a reply unsent, and ``during_call`` counts the kills that left a call in flight. ``most_calls``
    is the largest number of calls that a kill left in flight. Unfinished work is counted again if the next process is
    also killed before taking it over. ``uncertain_by_kill`` and ``uncertain_by_cut`` count the replies that are
    uncertain because of a kill or a wire fault. ``uncertain_arrived`` counts the uncertain replies that did arrive.
    ``stalled`` lists the errors that ended segments early.
    """

    lane: str
    seconds: float
    segments: int
    kills: int
    victims: dict[str, int]
    moments: dict[str, int]
    during_work: int
    during_call: int
    most_calls: int
    texts: int
    answered: int
    lost: int
    doubled: int
    out_of_order: int
    refused: int
    unexplained: int
    unfinished: int
    uncertain_by_kill: int
    uncertain_by_cut: int
    uncertain_arrived: int
    unexpected_exits: int
    stalled: tuple[str, ...]
    median_recovery: float | None
    """Seconds from a kill to the next answer."""
    longest_recovery: float | None

    @property
    def uncertain(self) -> int:
        """All uncertain replies."""
        return self.uncertain_by_kill + self.uncertain_by_cut


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The content of ``benchmarks/results/delivery.json``.

    ``uncertain`` lists the uncertain replies, each with its lane and the numbers of the kills in its segment.
    ``outages`` is None if outages were not measured. ``faults`` has a sentence for each promise that Thumbs broke.
    """

    provenance: Provenance
    seed: int
    load: Load
    wire_faults: tuple[WireFault, ...]
    lanes: dict[str, LaneReport]
    uncertain: tuple[dict[str, Any], ...]
    outages: dict[str, Any] | None
    faults: tuple[str, ...]


def summarise(lane: str, segments: Sequence[dict[str, Any]]) -> LaneReport:
    """Return the totals for a lane. The segments are SegmentResults as JSON."""
    kills = [kill for segment in segments for kill in segment["kills"]]
    works = [kill["work"] for kill in kills if kill["work"]]
    findings = [segment["findings"] for segment in segments]
    uncertain = [reply for found in findings for reply in found["uncertain"]]
    recoveries = [seconds for segment in segments for seconds in segment["recoveries"]]
    return LaneReport(
        lane=lane,
        seconds=round(sum(segment["seconds"] for segment in segments), 1),
        segments=len(segments),
        kills=len(kills),
        victims=dict(Counter(kill["victim"] for kill in kills)),
        moments=dict(Counter(kill["moment"] for kill in kills)),
        during_work=sum(any(work.values()) for work in works),
        during_call=sum(work["sending"] > 0 for work in works),
        most_calls=max((work["sending"] for work in works), default=0),
        texts=sum(found["texts"] for found in findings),
        answered=sum(found["answered"] for found in findings),
        lost=sum(len(found["lost"]) for found in findings),
        doubled=sum(len(found["doubled"]) for found in findings),
        out_of_order=sum(len(found["out_of_order"]) for found in findings),
        refused=sum(len(found["refused"]) for found in findings),
        unexplained=sum(len(found["unexplained"]) for found in findings),
        unfinished=sum(found["unfinished"] for found in findings),
        uncertain_by_kill=sum(reply["fault"] is None for reply in uncertain),
        uncertain_by_cut=sum(reply["fault"] is not None for reply in uncertain),
        uncertain_arrived=sum(reply["arrived"] for reply in uncertain),
        unexpected_exits=sum(segment["unexpected_exits"] for segment in segments),
        stalled=tuple(segment["stalled"] for segment in segments if segment["stalled"]),
        median_recovery=round(median(recoveries), 2) if recoveries else None,
        longest_recovery=max(recoveries, default=None),
    )


def uncertain_replies(segments: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Return all uncertain replies, each with its lane and the first and last kills in its segment."""
    return tuple(
        {"lane": segment["lane"], "kills": [segment["first"], segment["first"] + len(segment["kills"]) - 1], **reply}
        for segment in segments
        for reply in segment["findings"]["uncertain"]
    )


def thumbs_faults(lanes: Sequence[LaneReport], outages: dict[str, Any] | None) -> tuple[str, ...]:
    """Return a sentence for each promise that Thumbs broke. The plain bot makes no promises."""
    thumbs = [report for report in lanes if report.lane != Lane.PLAIN_BOT]
    faults = [f"{report.lane}: {fault}" for report in thumbs for fault in _lane_faults(report)]
    texts, uncertain = (sum(getattr(report, name) for report in thumbs) for name in ("texts", "uncertain"))
    if uncertain > MAX_UNCERTAIN * texts:
        faults.append(f"{uncertain} of {texts} replies are uncertain, which is more than {MAX_UNCERTAIN:.1%}")
    return (*faults, *(_outage_faults(outages) if outages else ()))


def _lane_faults(report: LaneReport) -> Iterator[str]:
    counts = {
        "texts lost": report.lost,
        "texts answered twice": report.doubled,
        "texts answered out of order": report.out_of_order,
        "texts refused": report.refused,
        "messages that answer nothing": report.unexplained,
        "replies or updates left open": report.unfinished,
        "processes ended without being killed": report.unexpected_exits,
    }
    yield from (f"{count} {name}" for name, count in counts.items() if count)
    yield from report.stalled
    if report.uncertain_by_kill > report.kills:
        yield f"{report.uncertain_by_kill} replies are uncertain after {report.kills} kills"


def _outage_faults(outages: dict[str, Any]) -> Iterator[str]:
    findings = outages["findings"]
    for name in ("lost", "doubled", "out_of_order", "refused", "unexplained"):
        if findings[name]:
            yield f"outages: {len(findings[name])} texts {name.replace('_', ' ')}"
    if outages["unexpected_exits"]:
        yield f"outages: {outages['unexpected_exits']} processes ended without being killed"
    for outage in outages["outages"]:
        if outage["after"] < MIN_RATE * outage["before"]:
            yield f"{outage['name']}: {outage['after']} answers a second after it, {outage['before']} before it"
