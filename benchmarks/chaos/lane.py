"""One lane: runs that are asked for one after another, struck as the plan says, and looked at when they have ended."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.chaos.environment import ChaosEnvironment
from benchmarks.chaos.kills import LOOK_CLOSELY, Lost, Target, Usual
from benchmarks.chaos.plan import Strike, Victim
from benchmarks.chaos.processes import processes_with
from benchmarks.chaos.reader_process import Told, reading
from benchmarks.chaos.records import Kill, LaneReport, Outage, RunEnd
from storage.db.states import RunState
from storage.models import registry
from storage.training.runs import Run

# Seconds that Redis is away.
_AWAY: Final = 5.0
# Seconds that a worker has to clean up in after a run: its folder goes, and the models that are too many.
_CLEANING: Final = 20.0


class Lane:
    """The processes of one lane and what happened to them."""

    def __init__(self, home: ChaosEnvironment, plan: Sequence[Sequence[Strike]], say: Callable[[str], None]) -> None:
        self._home = home
        self._say = say
        self._plan = deque(deque(strikes) for strikes in plan)
        self._planned = sum(map(len, plan))
        self._kills: list[Kill] = []
        self._runs: list[RunEnd] = []
        self._outage: Outage | None = None

    def carry_out(self) -> LaneReport:
        """The whole plan, with a quiet run before it and after it, and with Redis an outage in its middle."""
        lost, target = None, Target(self._home)
        with reading(self._home) as told:
            try:
                self._through(target, told)
            except (Lost, TimeoutError) as error:
                lost = str(error)
                self._say(lost)
            finally:
                target.stop()
        return LaneReport(
            kills=tuple(self._kills),
            runs=tuple(self._runs),
            outage=self._outage,
            loads=len(told.loaded),
            verified=len(told.verified),
            refusals=tuple(told.refusals),
            ended_by_themselves=target.worker.ended_by_itself + target.beat.ended_by_itself,
            left_behind=tuple(self._left_behind()),
            lost=lost,
        )

    def _through(self, target: Target, told: Told) -> None:
        usual = self._quiet(target, told)
        while self._plan:
            self._struck(target, told, usual)
            if self._home.redis and not self._outage and len(self._kills) >= self._planned / 2:
                self._outage = self._without_redis(target, told)
        self._quiet(target, told)
        until = time.monotonic() + _CLEANING
        while self._unfinished() and time.monotonic() < until:
            time.sleep(0.1)

    def _quiet(self, target: Target, told: Told) -> Usual:
        """A run that nothing happens to, and how long it took."""
        asked = time.monotonic()
        run_id = self._home.ask()
        target.wait(run_id, lambda run: run.state is RunState.EVALUATING)
        trained = time.monotonic()
        target.wait_for_trace(run_id)
        traced = time.monotonic()
        run = target.wait(run_id, _never, LOOK_CLOSELY)
        ended = time.monotonic()
        self._ended(run, asked, told, 0)
        return Usual(ended - asked, ended - trained, ended - traced)

    def _struck(self, target: Target, told: Told, usual: Usual) -> None:
        """A run under the next strikes of the plan; those that it ended too early for meet the next run.

        The first of them meets it sooner: what the runs of this machine never reach would be waited for without end.
        """
        strikes, before = self._plan.popleft(), len(self._kills)
        asked, attempt = time.monotonic(), 0
        run_id = self._home.ask()
        while strikes:
            kill = target.strike(strikes[0], run_id, attempt, usual)
            if kill is None:
                strikes[0] = replace(strikes[0], share=strikes[0].share / 2)
                self._plan.appendleft(strikes)
                break
            strikes.popleft()
            self._kills.append(kill)
            self._say(f"run {run_id}, {kill.state}: {kill.victim} killed")
            if kill.victim is not Victim.BEAT:
                attempt = self._home.run(run_id).attempts + 1
        self._ended(target.wait(run_id, _never), asked, told, len(self._kills) - before)

    def _without_redis(self, target: Target, told: Told) -> Outage:
        """Redis goes away while a run is carried out, and comes back; worker and beat have to go on by themselves."""
        redis = self._home.redis
        if redis is None:
            raise RuntimeError("there is no Redis in this lane")
        processes, ended = (target.worker.pid, target.beat.pid), []
        asked = time.monotonic()
        run_id = self._home.ask()
        target.wait(run_id, lambda run: run.attempts > 0)
        redis.stop()
        time.sleep(_AWAY)
        self._say(f"run {run_id}: Redis was away")
        redis.start()
        ended.append(self._ended(target.wait(run_id, _never), asked, told, 0))
        asked = time.monotonic()
        run_id = self._home.ask(tell=False)
        ended.append(self._ended(target.wait(run_id, _never), asked, told, 0))
        return Outage(ended[0], ended[1], (target.worker.pid, target.beat.pid) == processes)

    def _ended(self, run: Run, asked: float, told: Told, kills: int) -> RunState:
        """Write down how a run ended; a model that went live is read, and the anchor takes its place."""
        with self._home.database.reading() as unit:
            changes = registry.changes(unit)
        promotions = sum(change.to_version == run.candidate and change.who is None for change in changes)
        seconds = round(time.monotonic() - asked, 1)
        distrusted = len(run.decision["figures"]["trigger_words"]) if run.decision else 0
        self._runs.append(RunEnd(run.id, run.state, run.attempts, run.error, seconds, promotions, kills, distrusted))
        self._say(f"run {run.id} ended: {run.state}, attempt {run.attempts}, {seconds} s")
        if run.state is RunState.PROMOTED and run.candidate is not None:
            told.wait_until_loaded(run.candidate)
            self._home.roll_back()
            told.wait_until_loaded(self._home.network.version)
        return run.state

    def _unfinished(self) -> list[str]:
        """Folders of runs, and files of models that the registry does not name."""
        with self._home.database.reading() as unit:
            known = {model.location for model in registry.versions(unit) if model.removed_at is None}
        rooms = (self._home.settings.data_dir / "work").glob("run-*")
        return [*(room.name for room in rooms), *(set(self._home.store.names()) - known)]

    def _left_behind(self) -> list[str]:
        """What should not be there once all has ended."""
        messages = self._home.settings.data_dir / "broker" / "messages"
        halves = [path.name for path in Path(messages).glob("*.unfinished")]
        processes = [f"process {process}" for process in processes_with(f"DATA_DIR={self._home.settings.data_dir}\0")]
        return [*self._unfinished(), *halves, *processes]


def _never(_: Run) -> bool:
    return False
