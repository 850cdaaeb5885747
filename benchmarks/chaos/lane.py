"""Runs one lane: requests training runs one after another, kills processes as planned, and records the outcomes."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.chaos.environment import ChaosEnvironment
from benchmarks.chaos.kills import SHORT_POLL_INTERVAL, LaneProcesses, RunLost, RunTimings
from benchmarks.chaos.plan import PlannedKill, Victim
from benchmarks.chaos.processes import processes_with_environment
from benchmarks.chaos.reader_process import ReaderLog, running_reader
from benchmarks.chaos.records import Kill, LaneResult, Outage, RunOutcome
from storage.db.states import RunState
from storage.models import registry
from storage.training.runs import Run

_OUTAGE_SECONDS: Final = 5.0
# Seconds to wait for a worker to remove surplus models and the folder of a finished run.
_CLEANUP_TIMEOUT: Final = 20.0


class Lane:
    """The processes in one lane, and the records of their runs."""

    def __init__(
        self, environment: ChaosEnvironment, plan: Sequence[Sequence[PlannedKill]], log: Callable[[str], None]
    ) -> None:
        self._environment = environment
        self._log = log
        self._plan = deque(deque(kills) for kills in plan)
        self._planned_kills = sum(map(len, plan))
        self._kills: list[Kill] = []
        self._runs: list[RunOutcome] = []
        self._outage: Outage | None = None

    def run(self) -> LaneResult:
        """Execute the planned kills, with an undisturbed run before and after them.

        With Redis, include an outage halfway through.
        """
        lost, processes = None, LaneProcesses(self._environment)
        with running_reader(self._environment) as reader:
            try:
                self._execute_plan(processes, reader)
            except (RunLost, TimeoutError) as error:
                lost = str(error)
                self._log(lost)
            finally:
                processes.stop()
        return LaneResult(
            kills=tuple(self._kills),
            runs=tuple(self._runs),
            outage=self._outage,
            loads=len(reader.loaded),
            verified=len(reader.verified),
            refusals=tuple(reader.refusals),
            ended_by_themselves=processes.worker.unexpected_exits + processes.beat.unexpected_exits,
            left_behind=tuple(self._left_behind()),
            lost=lost,
        )

    def _execute_plan(self, processes: LaneProcesses, reader: ReaderLog) -> None:
        timings = self._run_undisturbed(processes, reader)
        while self._plan:
            self._run_with_kills(processes, reader, timings)
            if self._environment.redis and not self._outage and len(self._kills) >= self._planned_kills / 2:
                self._outage = self._run_through_redis_outage(processes, reader)
        self._run_undisturbed(processes, reader)
        deadline = time.monotonic() + _CLEANUP_TIMEOUT
        while self._files_to_clean_up() and time.monotonic() < deadline:
            time.sleep(0.1)

    def _run_undisturbed(self, processes: LaneProcesses, reader: ReaderLog) -> RunTimings:
        """Execute a run without kills, and return its timings."""
        requested = time.monotonic()
        run_id = self._environment.request_run()
        processes.wait(run_id, lambda run: run.state is RunState.EVALUATING)
        trained = time.monotonic()
        processes.wait_for_candidate(run_id)
        appeared = time.monotonic()
        run = processes.wait(run_id, _never, SHORT_POLL_INTERVAL)
        ended = time.monotonic()
        self._record_outcome(run, requested, reader, 0)
        return RunTimings(ended - requested, ended - trained, ended - appeared)

    def _run_with_kills(self, processes: LaneProcesses, reader: ReaderLog, timings: RunTimings) -> None:
        """Execute a run with the next kills in the plan.

        If the run is too short for some of them, leave those for the next run.

        Halve the delay before the first of these kills, because the full delay may be longer than any run on this
        machine.
        """
        planned, before = self._plan.popleft(), len(self._kills)
        requested, attempt = time.monotonic(), 0
        run_id = self._environment.request_run()
        while planned:
            kill = processes.kill_as_planned(planned[0], run_id, attempt, timings)
            if kill is None:
                planned[0] = replace(planned[0], share=planned[0].share / 2)
                self._plan.appendleft(planned)
                break
            planned.popleft()
            self._kills.append(kill)
            self._log(f"run {run_id}, {kill.state}: {kill.victim} killed")
            if kill.victim is not Victim.BEAT:
                attempt = self._environment.run(run_id).attempts + 1
        self._record_outcome(processes.wait(run_id, _never), requested, reader, len(self._kills) - before)

    def _run_through_redis_outage(self, processes: LaneProcesses, reader: ReaderLog) -> Outage:
        """Restart Redis during a run, then request another run without notifying the worker.

        The worker and the beat must recover.
        """
        redis = self._environment.redis
        if redis is None:
            raise RuntimeError("this lane has no Redis")
        pids, states = (processes.worker.pid, processes.beat.pid), []
        requested = time.monotonic()
        run_id = self._environment.request_run()
        processes.wait(run_id, lambda run: run.attempts > 0)
        redis.stop()
        time.sleep(_OUTAGE_SECONDS)
        self._log(f"run {run_id}: Redis was stopped and started")
        redis.start()
        states.append(self._record_outcome(processes.wait(run_id, _never), requested, reader, 0))
        requested = time.monotonic()
        run_id = self._environment.request_run(notify=False)
        states.append(self._record_outcome(processes.wait(run_id, _never), requested, reader, 0))
        return Outage(states[0], states[1], (processes.worker.pid, processes.beat.pid) == pids)

    def _record_outcome(self, run: Run, requested: float, reader: ReaderLog, kills: int) -> RunState:
        """Record a run's outcome. If the run's model went live, wait until the reader loads it, then roll back."""
        with self._environment.database.reading() as unit:
            changes = registry.changes(unit)
        promotions = sum(change.to_version == run.candidate and change.who is None for change in changes)
        seconds = round(time.monotonic() - requested, 1)
        distrusted = len(run.decision["figures"]["trigger_words"]) if run.decision else 0
        self._runs.append(
            RunOutcome(run.id, run.state, run.attempts, run.error, seconds, promotions, kills, distrusted)
        )
        self._log(f"run {run.id} ended: {run.state}, attempt {run.attempts}, {seconds} s")
        if run.state is RunState.PROMOTED and run.candidate is not None:
            reader.wait_until_loaded(run.candidate)
            self._environment.roll_back()
            reader.wait_until_loaded(self._environment.network.version)
        return run.state

    def _files_to_clean_up(self) -> list[str]:
        """Return the names of the remaining run folders, and of stored models that are missing from the registry."""
        with self._environment.database.reading() as unit:
            known = {model.location for model in registry.versions(unit) if model.removed_at is None}
        folders = (self._environment.settings.data_dir / "work").glob("run-*")
        return [*(folder.name for folder in folders), *(set(self._environment.store.names()) - known)]

    def _left_behind(self) -> list[str]:
        """Return the names of the files and processes that the lane failed to clean up."""
        messages = self._environment.settings.data_dir / "broker" / "messages"
        unfinished = [path.name for path in Path(messages).glob("*.unfinished")]
        running = [
            f"process {process}"
            for process in processes_with_environment(f"DATA_DIR={self._environment.settings.data_dir}\0")
        ]
        return [*self._files_to_clean_up(), *unfinished, *running]


def _never(_: Run) -> bool:
    return False
