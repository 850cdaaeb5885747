"""What is killed and when follows from the seed, and what should not have happened is called a fault."""

from dataclasses import replace

import pytest

from benchmarks.chaos.plan import MOST_A_RUN, Moment, Transport, Victim, draw, shares
from benchmarks.chaos.records import Kill, LaneReport, Outage, RunEnd
from benchmarks.chaos.report import summary
from storage.db.states import RunState

WELL = LaneReport(
    kills=(Kill(Victim.BEAT, Moment.START, 2, RunState.RUNNING), Kill(Victim.WORKER, Moment.START, 2, RunState.QUEUED)),
    runs=(
        RunEnd(1, RunState.PROMOTED, 1, None, 10.0, promotions=1, kills=0, trigger_words=0),
        RunEnd(2, RunState.PROMOTED, 2, None, 50.0, promotions=1, kills=2, trigger_words=0),
    ),
    outage=Outage(RunState.PROMOTED, RunState.PROMOTED, same_processes=True),
    loads=5,
    verified=2,
    refusals=(),
    ended_by_themselves=0,
    left_behind=(),
    lost=None,
)


def test_a_seed_draws_the_same_plan_and_another_draws_another() -> None:
    assert draw("1 redis-0", 50) == draw("1 redis-0", 50)
    assert draw("1 redis-0", 50) != draw("2 redis-0", 50)


def test_a_plan_has_every_victim_at_every_moment_that_it_lives_to_see() -> None:
    strikes = [strike for run in draw("1", 500) for strike in run]
    assert len(strikes) == 500
    assert {(strike.victim, strike.moment) for strike in strikes} == {
        (victim, moment)
        for victim in Victim
        for moment in Moment
        if (victim, moment) != (Victim.TRAINER, Moment.PUBLISHING)
    }
    assert all(0 <= strike.share < 1 for strike in strikes)
    assert {len(run) for run in draw("1", 500)} == set(range(1, MOST_A_RUN + 1))


def test_kills_are_dealt_out_evenly() -> None:
    assert shares(50, 4) == [13, 13, 12, 12]


def test_figures_are_those_of_all_lanes() -> None:
    found = summary(Transport.REDIS, [WELL, WELL], 100.0)
    assert (found.kills, found.victims) == (4, {"beat": 2, "worker": 2})
    assert (found.runs, found.ends, found.lost) == (4, {"promoted": 4}, 0)
    assert (found.promotions, found.most_promotions, found.most_attempts) == (4, 1, 2)
    assert (found.quiet_seconds, found.struck_seconds, found.longest_seconds) == (10.0, 50.0, 50.0)
    assert (found.loads, found.verified, found.faults) == (10, 4, ())


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"lost": "run 3 is queued after 300 seconds"}, "run 3 is queued after 300 seconds"),
        ({"refusals": ("model.safetensors is not the file",)}, "model.safetensors is not the file"),
        ({"left_behind": ("run-2",)}, "run-2 was left behind"),
        ({"ended_by_themselves": 1}, "worker or beat ended 1 times though nobody had killed them"),
        (
            {"outage": Outage(RunState.PROMOTED, RunState.PROMOTED, same_processes=False)},
            "after Redis was away, the next run ended promoted, or worker or beat had ended",
        ),
    ],
)
def test_what_should_not_have_happened_is_a_fault(changes: dict[str, object], fault: str) -> None:
    lane = replace(WELL, **changes)  # type: ignore[arg-type]
    assert summary(Transport.FOLDER, [WELL, lane], 1.0).faults == (f"folder: {fault}",)


@pytest.mark.parametrize(
    ("end", "fault"),
    [
        (RunEnd(2, RunState.PROMOTED, 2, None, 1.0, 2, 2, 0), "run 2 ended promoted and was promoted 2 times"),
        (RunEnd(2, RunState.HELD, 2, None, 1.0, 0, 2, 0), "run 2 ended held"),
        (RunEnd(2, RunState.FAILED, 3, "Why.", 1.0, 0, 2, 0), "run 2 failed after 1 broken attempts: Why."),
    ],
)
def test_an_end_that_no_kill_explains_is_a_fault(end: RunEnd, fault: str) -> None:
    lane = replace(WELL, runs=(WELL.runs[0], end))
    assert summary(Transport.FOLDER, [lane], 1.0).faults == (f"folder: {fault}",)


def test_a_run_that_was_broken_off_three_times_may_fail() -> None:
    kills = tuple(Kill(Victim.TRAINER, Moment.START, 2, RunState.RUNNING) for _ in range(3))
    end = RunEnd(2, RunState.FAILED, 3, "It was started 3 times and never came to an end.", 1.0, 0, 3, 0)
    assert summary(Transport.FOLDER, [replace(WELL, kills=kills, runs=(WELL.runs[0], end))], 1.0).faults == ()


def test_a_run_whose_words_the_gate_distrusts_may_be_held() -> None:
    end = RunEnd(2, RunState.HELD, 2, None, 1.0, 0, 2, 1)
    assert summary(Transport.FOLDER, [replace(WELL, runs=(WELL.runs[0], end))], 1.0).faults == ()
