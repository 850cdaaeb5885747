"""What is killed and when: drawn before anything runs, so that the seed tells it all."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final


class Transport(StrEnum):
    """What carries the messages: Redis beside PostgreSQL, or a folder beside SQLite."""

    REDIS = "redis"
    FOLDER = "folder"


class Victim(StrEnum):
    """The process that SIGKILL ends, or several at once."""

    WORKER = "worker"
    WORKER_AND_CHILDREN = "worker and its children"
    WORKERS_CHILD = "worker's child with the run"
    TRAINER = "trainer"
    BEAT = "beat"


class Moment(StrEnum):
    """From when on a share of a stretch of time passes before the kill.

    START: from the run's start, or its next attempt's, over the length of a whole undisturbed run. EVALUATING: from
    the end of training, over the time that measuring takes. PUBLISHING: from the candidate's first trace in the store,
    over the time that it takes until the run has ended.
    """

    START = "start"
    EVALUATING = "evaluating"
    PUBLISHING = "publishing"


@dataclass(frozen=True, slots=True)
class Strike:
    """One kill: whom, and when; ``share`` is 0 to 1."""

    victim: Victim
    moment: Moment
    share: float


# A third of the kills for each of the three, and the worker's in three ways.
_VICTIMS: Final = {
    Victim.WORKER: 1,
    Victim.WORKER_AND_CHILDREN: 1,
    Victim.WORKERS_CHILD: 1,
    Victim.TRAINER: 3,
    Victim.BEAT: 3,
}
# Publishing takes a moment and measuring a few seconds, which uniform moments would hardly ever meet.
_MOMENTS: Final = {Moment.START: 5, Moment.EVALUATING: 2, Moment.PUBLISHING: 3}
MOST_A_RUN: Final = 3


def draw(seed: str, kills: int) -> list[list[Strike]]:
    """``kills`` strikes, one to MOST_A_RUN of them for each run."""
    random = Random(seed)
    runs: list[list[Strike]] = []
    while (left := kills - sum(map(len, runs))) > 0:
        runs.append([_strike(random) for _ in range(min(random.randint(1, MOST_A_RUN), left))])
    return runs


def shares(kills: int, lanes: int) -> list[int]:
    """``kills`` dealt out to ``lanes`` as evenly as it goes."""
    return [kills // lanes + (lane < kills % lanes) for lane in range(lanes)]


def _strike(random: Random) -> Strike:
    victim = random.choices(list(_VICTIMS), list(_VICTIMS.values()))[0]
    # By the time that a candidate is published, its trainer has ended.
    moments = [moment for moment in Moment if victim is not Victim.TRAINER or moment is not Moment.PUBLISHING]
    moment = random.choices(moments, [_MOMENTS[moment] for moment in moments])[0]
    return Strike(victim, moment, random.random())
