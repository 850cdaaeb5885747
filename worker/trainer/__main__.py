"""``python -m worker.trainer``: reads a job, trains a candidate, evaluates it and reports events.

The job is one line on standard input, and each event is one line on standard output. Everything else goes to standard
error. This is the only process that loads TensorFlow and uses the GPU.

When told to stop, the trainer saves a checkpoint in the job's directory. A trainer that is started with the same job
resumes from this checkpoint. After ``Done``, it tests the candidate on reviews that do not affect the decision, and
emits ``Tested`` if there are any such reviews. The exit status is 1 after ``Failed``, 130 if the trainer was stopped,
and 0 otherwise.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from core.errors import ThumbsError
from core.files import replaced
from core.logs import configure_logging
from core.settings import Settings, read_settings
from ml.errors import FineTuneStopped, NothingToResume, UnusableArtifact
from ml.serving.artifact import Manifest, manifest_hash, verified_manifest
from ml.serving.chunked import logits_in_chunks
from ml.serving.engine import Classifier
from storage.db.states import RunPhase
from worker.gate.cross_fitted_votes import measure_cross_fitted
from worker.gate.gate_set import GateSet
from worker.gate.measure import GateTexts, ModelPair, measure, measure_on_votes
from worker.gate.vote_rows import VoteRow
from worker.trainer.inputs import TrainerInputs, load_inputs
from worker.trainer.phase_reporter import PhaseReporter
from worker.trainer.protocol import Done, Evaluating, Event, Failed, Job, Progress, Tested, write_event
from worker.trainer.stop_signal import StopSignal

if TYPE_CHECKING:
    from ml.training.fine_tune import FineTuneJob
    from ml.training.loop import TrainingCallbacks, TrainingProgress

logger = logging.getLogger(__name__)

_CANDIDATE: Final = "candidate"
# Name of the file that records the plan that the candidate was trained with, so that a run interrupted during
# evaluation does not train again.
_PLAN: Final = "candidate-plan.json"
# Seconds between two progress events.
_PROGRESS_INTERVAL: Final = 1.0

Emit = Callable[[Event], None]


def main() -> int:
    """Run the job on standard input, and return the exit status."""
    output = _reserve_stdout()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    line = sys.stdin.readline()
    stop = StopSignal()
    stop.listen(sys.stdin.fileno())
    if not line:
        stop.exit()

    def emit(event: Event) -> None:
        try:
            output.write(write_event(event))
            output.flush()
        except BrokenPipeError:
            stop.request()

    try:
        settings = read_settings()
        configure_logging(settings.log_level, settings.log_format)
        run_job(Job.from_line(line), settings, emit, stop)
    except FineTuneStopped as stopped:
        logger.info("%s", stopped)
        stop.exit()
    except ThumbsError as error:
        logger.warning("%s", error)
        emit(Failed(str(error)))
        return 1
    except Exception:
        logger.exception("The training run failed")
        emit(Failed(str(ThumbsError())))
        return 1
    return 0


def run_job(job: Job, settings: Settings, emit: Emit, stop: StopSignal) -> None:
    """Train a candidate or resume its training, compare it with the live model, then test it.

    Raise any error that ``load_inputs`` or ``ml.training.fine_tune.fine_tune`` raises, including FineTuneStopped.
    """
    phases = PhaseReporter(emit, stop.check)
    inputs = load_inputs(job, settings.serving_threads, phases)
    stop.check()
    manifest = _train_or_reuse(inputs, Path(job.directory), emit, stop, phases)
    stop.check()
    emit(Evaluating(manifest.version))
    folder = Path(job.directory) / _CANDIDATE
    pair = ModelPair(inputs.champion, Classifier.load(folder, settings.serving_threads), phases)
    votes = _measure_votes(inputs, pair)
    measured = measure(
        pair,
        GateTexts(
            gate_set=None if inputs.reviews is None else GateSet.choose(inputs.reviews),
            new_texts=inputs.training_set.corrections,
            gate_cache=Path(job.gate_cache),
            confidence=settings.gate_confidence,
        ),
    )
    emit(Done(manifest.version, manifest_hash(folder), measured, votes))
    if inputs.reviews is not None:
        test_set = GateSet.remainder(inputs.reviews)
        if test_set.texts:
            predicted = logits_in_chunks(pair.candidate.engine, test_set.texts, stop.check).argmax(axis=1)
            emit(Tested(len(test_set.texts), int((predicted == test_set.labels).sum())))


def _measure_votes(inputs: TrainerInputs, pair: ModelPair) -> tuple[VoteRow, ...]:
    """Measure both models on the votes: with fold models, or in a full run with the candidate itself."""
    if inputs.cross_fit is None:
        return measure_on_votes(pair, inputs.voted[inputs.voted["measured"]])
    return measure_cross_fitted(inputs.voted, inputs.cross_fit, pair.champion, pair.phases)


def _train_or_reuse(
    inputs: TrainerInputs, directory: Path, emit: Emit, stop: StopSignal, phases: PhaseReporter
) -> Manifest:
    """Train a candidate, or reuse an earlier attempt's candidate for the same plan, and return its manifest."""
    # Import late: TensorFlow takes seconds to load, and errors in the job should be reported before that.
    from ml.training.fine_tune import FineTuneJob  # noqa: PLC0415
    from ml.training.loop import TrainingCallbacks  # noqa: PLC0415

    fine_tune_job = FineTuneJob(inputs.base, inputs.training_set, inputs.recipe, directory / _CANDIDATE)
    finished = _finished_candidate(fine_tune_job, directory / _PLAN)
    if finished is not None:
        logger.info("Reusing the candidate %s from an earlier attempt", finished.version)
        return finished
    phases.begin(RunPhase.TRAINING, 0)
    callbacks = TrainingCallbacks(_progress_reporter(emit), stop.requested, phases)
    manifest = _resume_or_fine_tune(fine_tune_job, callbacks)
    facts = {"plan": fine_tune_job.checkpoint.plan, "manifest_sha256": manifest_hash(fine_tune_job.out)}
    with replaced(directory / _PLAN) as part:
        part.write_text(json.dumps(facts), encoding="utf-8")
    return manifest


def _finished_candidate(fine_tune_job: "FineTuneJob", plan_file: Path) -> Manifest | None:
    """Return the manifest of a complete, unchanged candidate for the same plan, or None."""
    try:
        expected = {"plan": fine_tune_job.checkpoint.plan, "manifest_sha256": manifest_hash(fine_tune_job.out)}
        if json.loads(plan_file.read_text(encoding="utf-8")) != expected:
            return None
        return verified_manifest(fine_tune_job.out)
    except (OSError, ValueError, UnusableArtifact):
        return None


def _resume_or_fine_tune(fine_tune_job: "FineTuneJob", callbacks: "TrainingCallbacks") -> Manifest:
    """Fine-tune from the job's checkpoint, or from the start if there is no checkpoint for the same plan."""
    from ml.training.fine_tune import fine_tune  # noqa: PLC0415 - as above

    if fine_tune_job.checkpoint.folder.is_dir():
        try:
            return fine_tune(fine_tune_job, callbacks, resume=True)
        except NothingToResume as missing:
            logger.warning("Training starts from the beginning. %s", missing)
    return fine_tune(fine_tune_job, callbacks)


def _progress_reporter(emit: Emit) -> "Callable[[TrainingProgress], None]":
    """Return a callback that emits progress once a second and after the first and last steps."""
    last_emitted = -_PROGRESS_INTERVAL

    def report(progress: "TrainingProgress") -> None:
        nonlocal last_emitted
        now = time.monotonic()
        if now - last_emitted >= _PROGRESS_INTERVAL or progress.step == progress.steps:
            last_emitted = now
            emit(Progress(progress.step, progress.steps, progress.epochs, progress.reviews_per_second))

    return report


def _reserve_stdout() -> IO[str]:
    """Return a file for events on standard output, and redirect other output to standard error."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return output


if __name__ == "__main__":
    sys.exit(main())
