"""The plan of kills depends only on the seed, and anything that should not happen counts as a fault."""

from dataclasses import replace

import pytest

from benchmarks.chaos.plan import MAX_KILLS_PER_RUN, Moment, Transport, Victim, draw_plan, split_evenly
from benchmarks.chaos.records import Kill, LaneResult, Outage, RunOutcome
from benchmarks.chaos.report import summarise
from storage.db.states import RunState

WELL = LaneResult(
    kills=(Kill(Victim.BEAT, Moment.START, 2, RunState.RUNNING), Kill(Victim.WORKER, Moment.START, 2, RunState.QUEUED)),
    runs=(
        RunOutcome(1, RunState.PROMOTED, 1, None, 10.0, promotions=1, kills=0, trigger_words=0),
        RunOutcome(2, RunState.PROMOTED, 2, None, 50.0, promotions=1, kills=2, trigger_words=0),
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
    assert draw_plan("1 redis-0", 50) == draw_plan("1 redis-0", 50)
    assert draw_plan("1 redis-0", 50) != draw_plan("2 redis-0", 50)


def test_a_plan_has_every_victim_at_every_moment_in_which_it_runs() -> None:
    kills = [kill for run in draw_plan("1", 500) for kill in run]
    assert len(kills) == 500
    assert {(kill.victim, kill.moment) for kill in kills} == {
        (victim, moment)
        for victim in Victim
        for moment in Moment
        if (victim, moment) != (Victim.TRAINER, Moment.PUBLISHING)
    }
    assert all(0 <= kill.share < 1 for kill in kills)
    assert {len(run) for run in draw_plan("1", 500)} == set(range(1, MAX_KILLS_PER_RUN + 1))


def test_kills_are_split_evenly() -> None:
    assert split_evenly(50, 4) == [13, 13, 12, 12]


def test_figures_are_over_all_lanes() -> None:
    found = summarise(Transport.REDIS, [WELL, WELL], 100.0)
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
        ({"ended_by_themselves": 1}, "worker or beat ended 1 times without being killed"),
        (
            {"outage": Outage(RunState.PROMOTED, RunState.PROMOTED, same_processes=False)},
            "after the Redis outage, the next run ended as promoted, or worker or beat had ended",
        ),
    ],
)
def test_what_should_not_have_happened_is_a_fault(changes: dict[str, object], fault: str) -> None:
    lane = replace(WELL, **changes)  # type: ignore[arg-type]
    assert summarise(Transport.FOLDER, [WELL, lane], 1.0).faults == (f"folder: {fault}",)


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (RunOutcome(2, RunState.PROMOTED, 2, None, 1.0, 2, 2, 0), "run 2 ended as promoted and was promoted 2 times"),
        (RunOutcome(2, RunState.HELD, 2, None, 1.0, 0, 2, 0), "run 2 ended as held"),
        (RunOutcome(2, RunState.FAILED, 3, "Why.", 1.0, 0, 2, 0), "run 2 failed after 1 broken attempts: Why."),
    ],
)
def test_a_final_state_that_no_kill_explains_is_a_fault(outcome: RunOutcome, fault: str) -> None:
    lane = replace(WELL, runs=(WELL.runs[0], outcome))
    assert summarise(Transport.FOLDER, [lane], 1.0).faults == (f"folder: {fault}",)


def test_a_run_may_fail_after_three_broken_attempts() -> None:
    kills = tuple(Kill(Victim.TRAINER, Moment.START, 2, RunState.RUNNING) for _ in range(3))
    outcome = RunOutcome(2, RunState.FAILED, 3, "The run was started 3 times and never finished.", 1.0, 0, 3, 0)
    assert summarise(Transport.FOLDER, [replace(WELL, kills=kills, runs=(WELL.runs[0], outcome))], 1.0).faults == ()


def test_the_gate_may_hold_a_run_for_distrusted_words() -> None:
    outcome = RunOutcome(2, RunState.HELD, 2, None, 1.0, 0, 2, 1)
    assert summarise(Transport.FOLDER, [replace(WELL, runs=(WELL.runs[0], outcome))], 1.0).faults == ()
