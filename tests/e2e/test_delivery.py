"""A short delivery benchmark: even if killed under load, the bot replies to every text once and in order."""

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.delivery.people import FAULTS, POLLING_FAULTS, WEBHOOK_FAULTS, Load, People
from benchmarks.delivery.plan import Lane, Moment, PlannedKill, SegmentPlan
from benchmarks.delivery.segment import Kill, Patience, Segment
from benchmarks.delivery.subjects import running_subject
from benchmarks.delivery.wire import WireLog, playground_server

KILLS = (
    PlannedKill("bot", Moment.SENDING, share=0.5, pause=0.3),
    PlannedKill("bot", Moment.STARTING, share=0.5, pause=0.0),
)


@pytest.mark.parametrize("lane", [Lane.SQLITE_POLLING, Lane.SQLITE_WEBHOOK])
def test_a_bot_that_is_killed_under_load_answers_every_text_once_and_in_order(lane: Lane, tmp_path: Path) -> None:
    killed: list[Kill] = []
    faults = (*FAULTS, *(WEBHOOK_FAULTS if lane.by_webhook else POLLING_FAULTS))
    with ExitStack() as stack:
        client = stack.enter_context(playground_server(tmp_path))
        subject = stack.enter_context(running_subject(lane, client, tmp_path, None, None))
        wire = stack.enter_context(WireLog(client))
        people = stack.enter_context(People(client, Load(rate=20.0, people=40), faults, seed="1"))
        segment = Segment(subject, people, wire, Patience(silence=20.0, quiet=0.5))
        result = segment.run(SegmentPlan(lane, 0, KILLS), threading.Event(), killed.append)
    found = result.findings
    assert (result.stalled, result.unexpected_exits, tuple(killed)) == (None, 0, result.kills)
    assert len(result.kills) == 2
    assert found.texts > 20
    assert (found.lost, found.doubled, found.out_of_order) == ((), (), ())
    assert (found.refused, found.unexplained, found.unfinished) == ((), (), 0)
    assert sum(reply.fault is None for reply in found.uncertain) <= len(result.kills)
