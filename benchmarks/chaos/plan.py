"""The plan of kills, drawn before anything runs, so that it depends on the seed alone."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final


class Transport(StrEnum):
    """The carrier of messages: Redis, with PostgreSQL, or a folder, with SQLite."""

    REDIS = "redis"
    FOLDER = "folder"


class Victim(StrEnum):
    """The process, or the group of processes, that is killed."""

    WORKER = "worker"
    WORKER_AND_CHILDREN = "worker and its children"
    WORKERS_CHILD = "worker's child with the run"
    TRAINER = "trainer"
    BEAT = "beat"


class Moment(StrEnum):
    """The part of a run in which a kill happens, after a random share of that part's usual duration.

    START: the whole run, from the start of the run or of its next attempt. EVALUATING: from the end of training to the
    end of the run. PUBLISHING: from when the candidate appears in the store to the end of the run.
    """

    START = "start"
    EVALUATING = "evaluating"
    PUBLISHING = "publishing"


@dataclass(frozen=True, slots=True)
class PlannedKill:
    """One planned kill; ``share`` of the moment's duration passes before it, 0 to 1."""

    victim: Victim
    moment: Moment
    share: float


# A third of the kills each for worker, trainer and beat; the worker is killed in three ways.
_VICTIMS: Final = {
    Victim.WORKER: 1,
    Victim.WORKER_AND_CHILDREN: 1,
    Victim.WORKERS_CHILD: 1,
    Victim.TRAINER: 3,
    Victim.BEAT: 3,
}
# Publishing takes milliseconds and evaluating a few seconds, which uniformly drawn moments would rarely hit.
_MOMENTS: Final = {Moment.START: 5, Moment.EVALUATING: 2, Moment.PUBLISHING: 3}
MAX_KILLS_PER_RUN: Final = 3


def draw_plan(seed: str, kills: int) -> list[list[PlannedKill]]:
    """Return ``kills`` planned kills, one to MAX_KILLS_PER_RUN for each run."""
    random = Random(seed)
    runs: list[list[PlannedKill]] = []
    while (left := kills - sum(map(len, runs))) > 0:
        runs.append([_draw_kill(random) for _ in range(min(random.randint(1, MAX_KILLS_PER_RUN), left))])
    return runs


def split_evenly(kills: int, lanes: int) -> list[int]:
    """Return the number of kills of each lane, as equal as possible."""
    return [kills // lanes + (lane < kills % lanes) for lane in range(lanes)]


def _draw_kill(random: Random) -> PlannedKill:
    victim = random.choices(list(_VICTIMS), list(_VICTIMS.values()))[0]
    # The trainer has ended before its candidate is published.
    moments = [moment for moment in Moment if victim is not Victim.TRAINER or moment is not Moment.PUBLISHING]
    moment = random.choices(moments, [_MOMENTS[moment] for moment in moments])[0]
    return PlannedKill(victim, moment, random.random())
