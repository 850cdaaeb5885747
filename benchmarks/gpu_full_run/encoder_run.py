"""Takes one encoder through fine-tuning, publication, a worker's full run and the swap into a running bot."""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.chaos.plan import Transport
from benchmarks.chaos.processes import Service, find_trainer
from benchmarks.common.thumbs_command import count_parameters
from benchmarks.gpu_full_run.installation import Installation, installation
from benchmarks.gpu_full_run.memory import PeakWatch, current_memory, peak_memory, reset_peak
from benchmarks.gpu_full_run.report import FullRun, Memory, Phases
from benchmarks.gpu_full_run.serving import ServingFigures
from benchmarks.gpu_full_run.texts import first_recipe, full_recipe
from benchmarks.gpu_full_run.timeline import Timeline
from ml.bert.config import BertConfig
from ml.serving.artifact import Manifest
from ml.training.recipe import Recipe
from storage.db.database import Database
from storage.models import instances, registry
from storage.models.artifact_store import ArtifactStore
from storage.training import runs
from storage.training.runs import Run
from tests.small_model import write_recipe

RANDOM: Final = "random"
"""The name of an encoder of bert-base-uncased's size with random weights."""
# Number of reviews for the first model, which is only there to be replaced.
_FIRST_REVIEWS: Final = 64
_POLL_INTERVAL: Final = 0.1
# Maximum number of seconds for the run, and for the swap and each answer.
_RUN_TIMEOUT: Final = 3 * 60 * 60.0
_TIMEOUT: Final = 120.0
_TEXT: Final = "A warm, clever film that I would happily watch again with my whole family."


@dataclass(frozen=True, slots=True)
class Reviews:
    """The file with the reviews for all runs, and the number of training reviews in it."""

    path: Path
    train: int


@dataclass(frozen=True, slots=True)
class _FineTune:
    """A published model, with its trainer's time in seconds and peak memory in bytes."""

    folder: Path
    seconds: float
    peak: int


@dataclass(frozen=True, slots=True)
class _FollowedRun:
    """A finished run, its phases, and its trainer's peak memory in bytes."""

    run: Run
    timeline: Timeline
    peak: int


def run_encoder(base: str, reviews: Reviews, transport: Transport, folder: Path) -> FullRun:
    """Run all phases in an empty ``folder``. ``base`` is an encoder's folder, its name on the hub, or RANDOM."""
    recipe = write_recipe(folder, full_recipe(reviews.train))
    with installation(folder, transport, _encoder(base, folder), reviews.path, recipe) as installed:
        database = installed.open_database()
        first = _fine_tune(installed, first_recipe(_FIRST_REVIEWS))
        started = time.monotonic()
        bot = installed.start_bot(first.folder)
        bot_start, bot_start_peak = time.monotonic() - started, peak_memory(bot.pid)
        _first_answer(installed)
        at_rest = current_memory(bot.pid)
        followed = _follow_run(installed, database)
        reset_peak(bot.pid)
        swap = _swap(installed, database, followed.run)
        first_answer = _first_answer(installed)
        swap_peak, after_swap = peak_memory(bot.pid), current_memory(bot.pid)
        candidate = _candidate_folder(installed, database, followed.run)
        # Nothing else computes while the candidate's speed is measured.
        installed.stop_processes()
        timeline = followed.timeline
        return _figures(
            base,
            candidate,
            followed,
            Phases(
                fine_tune=round(first.seconds, 1),
                bot_start=round(bot_start, 1),
                **timeline.phases(),
                swap=round(swap, 1),
                first_answer=round(first_answer, 2),
            ),
            Memory(first.peak, followed.peak, bot_start_peak, at_rest, swap_peak, after_swap),
        )


def _encoder(base: str, folder: Path) -> str:
    """Return the value of BASE_MODEL for ``base``."""
    if base == RANDOM:
        command = [sys.executable, "-m", "benchmarks.gpu_full_run.random_encoder", str(folder / RANDOM)]
        # In its own process without the GPU, because TensorFlow would keep the GPU's memory from the trainer.
        subprocess.run(command, check=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"})
        return str(folder / RANDOM)
    return str(Path(base).resolve()) if Path(base).is_dir() else base


def _fine_tune(installed: Installation, recipe: Recipe) -> _FineTune:
    """Run ``thumbs fine-tune`` for the first model."""
    out = installed.folder / "first"
    python = installed.variables.get("TRAINING_PYTHON", sys.executable)
    path = write_recipe(installed.folder, recipe)
    options = ("--limit", str(_FIRST_REVIEWS), "--recipe", str(path), "--out", str(out))
    started = time.monotonic()
    with (
        subprocess.Popen([python, "-m", "cli.main", "fine-tune", *options], env=installed.environment) as process,
        PeakWatch(process.pid) as watch,
    ):
        process.wait()
    if process.returncode:
        raise RuntimeError(f"thumbs fine-tune ended with status {process.returncode}")
    return _FineTune(out, time.monotonic() - started, watch.peak)


def _follow_run(installed: Installation, database: Database) -> _FollowedRun:
    """Start a worker, request a full run, and follow it to its decision.

    Raise RuntimeError if the run ends without a decision.
    """
    worker = installed.start("worker", "worker", "--beat")
    timeline = Timeline(time.monotonic())
    run_id = json.loads(_thumbs(installed, "retrain", "--full", "--json"))["id"]
    with ExitStack() as stack:
        watch: PeakWatch | None = None
        while time.monotonic() < timeline.requested + _RUN_TIMEOUT:
            with database.reading() as unit:
                run = runs.get_run(unit, run_id)
            timeline.note(run)
            if not run.open:
                break
            if watch is None and (trainer := find_trainer(worker.pid)) is not None:
                watch = stack.enter_context(PeakWatch(trainer))
            time.sleep(_POLL_INTERVAL)
    if run.decision is None or watch is None:
        raise RuntimeError(f"run {run.id} is {run.state}: {run.error}\n{_end_of_log(worker)}")
    return _FollowedRun(run, timeline, watch.peak)


def _swap(installed: Installation, database: Database, run: Run) -> float:
    """Promote the candidate, and return how many seconds pass until the bot reports serving it."""
    started = time.monotonic()
    _thumbs(installed, "models", "promote", str(run.candidate))
    while not _serves(database, str(run.candidate)):
        if time.monotonic() > started + _TIMEOUT:
            raise RuntimeError(f"the bot did not load {run.candidate} within {_TIMEOUT:.0f} seconds")
        time.sleep(_POLL_INTERVAL)
    return time.monotonic() - started


def _serves(database: Database, version: str) -> bool:
    """Return whether the bot reports serving ``version``. Raise RuntimeError if the bot rejected this version."""
    with database.reading() as unit:
        bots = instances.live_instances(unit)
    if refusals := [bot.refusal for bot in bots if bot.refused_version == version]:
        raise RuntimeError(f"the bot refused the candidate: {refusals[0]}")
    return [bot.version for bot in bots] == [version]


def _first_answer(installed: Installation) -> float:
    """Send a text in the chat, and return the seconds until the reply."""
    started = time.monotonic()
    sent = installed.client.message(_TEXT)["message_id"]
    installed.client.wait_for_chat(
        lambda chat: any(one["from_bot"] and one["message_id"] > sent for one in chat["messages"]), seconds=_TIMEOUT
    )
    return time.monotonic() - started


def _thumbs(installed: Installation, *arguments: str) -> str:
    """Run a ``thumbs`` command in the installation, and return its standard output."""
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(command, check=True, env=installed.environment, stdout=subprocess.PIPE, text=True).stdout


def _candidate_folder(installed: Installation, database: Database, run: Run) -> Path:
    with database.reading() as unit:
        location = registry.get_version(unit, str(run.candidate)).location
    return ArtifactStore.open(installed.settings.store_address).fetch(location, installed.folder)


def _figures(base: str, candidate: Path, followed: _FollowedRun, phases: Phases, memory: Memory) -> FullRun:
    manifest, config, decision = Manifest.read(candidate), BertConfig.read(candidate), followed.run.decision or {}
    command = [sys.executable, "-m", "benchmarks.gpu_full_run.serving", str(candidate)]
    serving = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return FullRun(
        encoder="random weights" if base == RANDOM else Path(base).name if Path(base).is_dir() else base,
        layers=config.num_hidden_layers,
        hidden_size=config.hidden_size,
        parameters=count_parameters(candidate),
        train_reviews=manifest.data["train"]["reviews"],
        gate_reviews=decision["figures"]["imdb"]["texts"],
        steps=manifest.recipe["steps"],
        steps_per_second=round(followed.timeline.steps_per_second, 3),
        precision=manifest.recipe["computed_in"],
        published_bytes=sum(path.stat().st_size for path in candidate.iterdir()),
        decision=decision["sentence"],
        dev=manifest.figures["dev"],
        phases=phases,
        memory=memory,
        serving=ServingFigures(**json.loads(serving)),
    )


def _end_of_log(service: Service) -> str:
    return service.log.read_text(encoding="utf-8", errors="replace")[-4000:]
