"""``python -m worker.trainer``: reads a job, trains, measures, and says how it goes; owns TensorFlow and the GPU.

The job is a line on standard input, events are lines on standard output, everything else goes to standard error. Told
to stop, it keeps a checkpoint in the job's folder; started with the same job, it goes on from there. After ``Done`` it
goes on to what decides nothing, and ends with ``Tested`` where there is something to test by. Exit status: 1 after
``Failed``, 130 stopped, else 0.
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
from core.logs import configure_logging
from core.settings import Settings, read_settings
from ml.errors import FineTuneStopped, NothingToResume, UnusableArtifact
from ml.serving.artifact import Manifest, manifest_hash, verified_manifest
from ml.serving.chunked import logits_in_chunks
from ml.serving.engine import Classifier
from worker.gate.gate_set import GateSet
from worker.gate.measure import GateTexts, ModelPair, measure
from worker.trainer.inputs import TrainerInputs, prepare
from worker.trainer.protocol import Done, Evaluating, Event, Failed, Job, Tested, Trained, write_event
from worker.trainer.stop_signal import StopSignal

if TYPE_CHECKING:
    from ml.training.fine_tune import FineTuneJob
    from ml.training.loop import TrainingCallbacks, TrainingProgress

logger = logging.getLogger(__name__)

_CANDIDATE: Final = "candidate"
# Says which plan the candidate came of, so that a run which was interrupted while it was measured is not trained anew.
_PLAN: Final = "candidate-plan.json"
# Seconds between two events about progress.
_TELL_EVERY: Final = 1.0

Tell = Callable[[Event], None]


def main() -> int:
    """Carry out the one job that comes; the exit status."""
    said = _own_output()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    line = sys.stdin.readline()
    stop = StopSignal()
    stop.listen(sys.stdin.fileno())
    if not line:
        stop.leave()

    def tell(event: Event) -> None:
        try:
            said.write(write_event(event))
            said.flush()
        except BrokenPipeError:
            stop.request()

    try:
        settings = read_settings()
        configure_logging(settings.log_level)
        run_job(Job.read(line), settings, tell, stop)
    except FineTuneStopped as stopped:
        logger.info("%s", stopped)
        stop.leave()
    except ThumbsError as error:
        logger.warning("%s", error)
        tell(Failed(str(error)))
        return 1
    except Exception:
        logger.exception("The training run failed")
        tell(Failed(str(ThumbsError())))
        return 1
    return 0


def run_job(job: Job, settings: Settings, tell: Tell, stop: StopSignal) -> None:
    """Train a candidate as the job says, or go on with it, measure it beside the live model, and test it.

    Raises what ``prepare`` and ``ml.training.fine_tune.fine_tune`` do, FineTuneStopped among them.
    """
    course = prepare(job, settings.serving_threads)
    stop.check()
    manifest = _trained(course, Path(job.work), tell, stop)
    stop.check()
    tell(Evaluating(manifest.version))
    folder = Path(job.work) / _CANDIDATE
    pair = ModelPair(course.champion, Classifier.load(folder, settings.serving_threads), stop.check)
    measured = measure(
        pair,
        GateTexts(
            gate_set=None if course.known is None else GateSet.choose(course.known),
            held_out=course.held_out,
            new=course.new,
            gate_cache=Path(job.gate_cache),
            confidence=settings.gate_confidence,
        ),
    )
    tell(Done(manifest.version, manifest_hash(folder), measured))
    if course.known is not None:
        others = GateSet.others(course.known)
        if others.texts:
            said = logits_in_chunks(pair.candidate.engine, others.texts, stop.check).argmax(axis=1)
            tell(Tested(len(others.texts), int((said == others.labels).sum())))


def _trained(course: TrainerInputs, work: Path, tell: Tell, stop: StopSignal) -> Manifest:
    """The manifest of the published candidate; one that a former attempt left is taken if it is of the same plan."""
    # TensorFlow takes seconds to load, so what is wrong with the job is told before.
    from ml.training.fine_tune import FineTuneJob  # noqa: PLC0415
    from ml.training.loop import TrainingCallbacks  # noqa: PLC0415

    order = FineTuneJob(course.base, course.training_set, course.recipe, work / _CANDIDATE)
    left = _left_by_former(order, work / _PLAN)
    if left is not None:
        logger.info("The candidate %s is trained already", left.version)
        return left
    manifest = _fine_tuned(order, TrainingCallbacks(_reporter(tell), stop.requested))
    facts = {"plan": order.checkpoint.plan, "manifest_sha256": manifest_hash(order.out)}
    (work / _PLAN).write_text(json.dumps(facts), encoding="utf-8")
    return manifest


def _left_by_former(order: "FineTuneJob", note: Path) -> Manifest | None:
    """The manifest of the candidate of this very plan, whole and unchanged; None where there is none."""
    try:
        expected = {"plan": order.checkpoint.plan, "manifest_sha256": manifest_hash(order.out)}
        return verified_manifest(order.out) if json.loads(note.read_text(encoding="utf-8")) == expected else None
    except (OSError, ValueError, UnusableArtifact):
        return None


def _fine_tuned(order: "FineTuneJob", watch: "TrainingCallbacks") -> Manifest:
    """Carry out an order from its checkpoint, or from the start where there is none of this plan."""
    from ml.training.fine_tune import fine_tune  # noqa: PLC0415 - as above

    if order.checkpoint.folder.is_dir():
        try:
            return fine_tune(order, watch, resume=True)
        except NothingToResume as missing:
            logger.warning("Training starts afresh. %s", missing)
    return fine_tune(order, watch)


def _reporter(tell: Tell) -> "Callable[[TrainingProgress], None]":
    """Tells of progress once a second, and of the first and the last step."""
    told = -_TELL_EVERY

    def report(progress: "TrainingProgress") -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= _TELL_EVERY or progress.step == progress.steps:
            told = now
            tell(Trained(progress.step, progress.steps, progress.epochs, progress.reviews_per_second))

    return report


def _own_output() -> IO[str]:
    """Standard output for events alone: what libraries print there goes to standard error."""
    said = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return said


if __name__ == "__main__":
    sys.exit(main())
