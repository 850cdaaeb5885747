"""Draws all kills before anything runs, so that they depend only on the seed."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final


class Transport(StrEnum):
    """The message transport: Redis (with PostgreSQL) or a folder (with SQLite)."""

    REDIS = "redis"
    FOLDER = "folder"


class Victim(StrEnum):
    """The process or process group to kill."""

    WORKER = "worker"
    WORKER_AND_CHILDREN = "worker and its children"
    WORKERS_CHILD = "worker's child with the run"
    TRAINER = "trainer"
    BEAT = "beat"


class Moment(StrEnum):
    """The part of a run in which a kill happens.

    The kill happens once a random share of the part's usual duration has passed.

    START is the whole run, counted from its start or from the start of its next attempt. EVALUATING lasts from the end
    of training to the end of the run. PUBLISHING lasts from the candidate's appearance in the store to the end of the
    run.
    """

    START = "start"
    EVALUATING = "evaluating"
    PUBLISHING = "publishing"


@dataclass(frozen=True, slots=True)
class PlannedKill:
    """One planned kill. ``share`` (0 to 1) says how much of the moment's duration passes before the kill."""

    victim: Victim
    moment: Moment
    share: float


# Weights. The worker, the trainer and the beat each get a third of the kills. The worker is killed in three ways.
_VICTIMS: Final = {
    Victim.WORKER: 1,
    Victim.WORKER_AND_CHILDREN: 1,
    Victim.WORKERS_CHILD: 1,
    Victim.TRAINER: 3,
    Victim.BEAT: 3,
}
# Weights. Publishing takes milliseconds and evaluating a few seconds, so uniformly drawn kills would rarely hit them.
_MOMENTS: Final = {Moment.START: 5, Moment.EVALUATING: 2, Moment.PUBLISHING: 3}
MAX_KILLS_PER_RUN: Final = 3


def draw_plan(seed: str, kills: int) -> list[list[PlannedKill]]:
    """Return ``kills`` planned kills, grouped by run, with between one and MAX_KILLS_PER_RUN kills per run."""
    random = Random(seed)
    runs: list[list[PlannedKill]] = []
    while (left := kills - sum(map(len, runs))) > 0:
        runs.append([_draw_kill(random) for _ in range(min(random.randint(1, MAX_KILLS_PER_RUN), left))])
    return runs


def split_evenly(kills: int, lanes: int) -> list[int]:
    """Return the number of kills for each lane, split as evenly as possible."""
    return [kills // lanes + (lane < kills % lanes) for lane in range(lanes)]


def _draw_kill(random: Random) -> PlannedKill:
    victim = random.choices(list(_VICTIMS), list(_VICTIMS.values()))[0]
    # The trainer ends before its candidate is published.
    moments = [moment for moment in Moment if victim is not Victim.TRAINER or moment is not Moment.PUBLISHING]
    moment = random.choices(moments, [_MOMENTS[moment] for moment in moments])[0]
    return PlannedKill(victim, moment, random.random())
