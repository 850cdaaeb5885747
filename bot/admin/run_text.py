"""Renders training runs and decisions as HTML."""

from datetime import datetime
from typing import Final

from bot.formatting import truncate
from bot.texts import Texts, fill
from storage.db.states import RunKind, RunPhase, RunState
from storage.training.runs import Run
from storage.training.snapshots import Snapshot

_BAR_LENGTH: Final = 12
# Maximum number of characters in an explanation. Telegram allows 1,024 in a photo's caption, and the caption contains
# other text too.
_EXPLANATION_LENGTH: Final = 480
# Seconds between two changes of the time so far, and number of seconds from which the time left is in minutes.
_ELAPSED_STEP: Final = 5
_MINUTES_FROM: Final = 100


def render_run(texts: Texts, run: Run, now: datetime) -> str:
    """Return a run's kind, number, and progress or result as HTML."""
    return f"{_title(texts, run)}\n{_status(texts, run, now)}"


def render_decision(texts: Texts, run: Run, snapshot: Snapshot, note: str | None = None) -> str:
    """Return a decision card as HTML: the decision, what the candidate learned from, its version and ``note``.

    ``note`` must already be HTML.
    """
    lines = [_title(texts, run), _explanation(run), *_learned_from(texts, run, snapshot)]
    if run.candidate is not None:
        lines.append(fill(texts.card_candidate, version=run.candidate))
    return "\n".join([*lines, *(["", note] if note else [])])


def _learned_from(texts: Texts, run: Run, snapshot: Snapshot) -> list[str]:
    """Return a line that says how the usable texts were used, or no lines for runs from earlier releases."""
    if run.over_quota is None:
        return []
    if not snapshot.measure:
        return [fill(texts.card_texts, train=snapshot.train)]
    usable = snapshot.train + snapshot.measure
    return [fill(texts.card_texts_over_quota, usable=usable, train=snapshot.train, waiting=snapshot.measure)]


def _title(texts: Texts, run: Run) -> str:
    title = texts.run_title_full if run.kind is RunKind.FULL_RUN else texts.run_title_round
    return fill(title, number=run.number)


def _status(texts: Texts, run: Run, now: datetime) -> str:
    if run.open and run.cancel_asked:
        return texts.run_cancelling
    if run.state is RunState.RUNNING and (run.steps and run.epoch) and run.phase in (None, RunPhase.TRAINING):
        return "\n".join([_training(texts, run), *_time_left(texts, run, now)])
    if run.state in (RunState.RUNNING, RunState.EVALUATING) and run.phase is not None:
        return _phase(texts, run, run.phase, now)
    if run.state is RunState.RUNNING:
        return texts.run_preparing
    if run.state is RunState.FAILED:
        return fill(texts.run_failed, reason=run.error or "")
    texts_by_state = {
        RunState.QUEUED: texts.run_queued,
        RunState.EVALUATING: texts.run_evaluating,
        RunState.CANCELLED: texts.run_cancelled,
    }
    return texts_by_state.get(run.state) or _explanation(run)


def _training(texts: Texts, run: Run) -> str:
    share = min(run.step / (run.steps or 1), 1.0)
    return fill(
        texts.run_training,
        bar=_bar(share),
        percent=int(100 * share),
        epoch=run.epoch,
        epochs=run.epochs,
        step=f"{run.step:,}",
        steps=f"{run.steps:,}",
        speed=_speed_text(run.samples_per_second or 0.0),
    )


def _speed_text(texts_per_second: float) -> str:
    """Return the speed, with one decimal place if it is low, as with a large network on a CPU."""
    return f"{texts_per_second:.0f}" if texts_per_second >= 10 else f"{texts_per_second:.1f}"


def _phase(texts: Texts, run: Run, phase: RunPhase, now: datetime) -> str:
    """Return what the trainer is doing, with a progress bar and the time left or, if unknown, the elapsed time."""
    what = getattr(texts, f"phase_{phase}")
    share, left = run.phase_share, _time_left(texts, run, now)
    if share is None or not left:
        seconds = _ELAPSED_STEP * int(run.seconds_in_phase(now) / _ELAPSED_STEP)
        return " ".join([what, *([fill(texts.time_so_far, seconds=seconds)] if seconds else [])])
    return fill(texts.phase_bar, bar=_bar(share), percent=int(100 * share), what=" ".join([what, *left]))


def _time_left(texts: Texts, run: Run, now: datetime) -> list[str]:
    """Return a sentence with the time left in the phase, or no lines if it is unknown."""
    seconds = run.seconds_left(now)
    if seconds is None:
        return []
    if seconds >= _MINUTES_FROM:
        return [fill(texts.minutes_left, minutes=round(seconds / 60))]
    return [fill(texts.time_left, seconds=max(5 * round(seconds / 5), 5))]


def _bar(share: float) -> str:
    full = int(_BAR_LENGTH * share)
    return "▓" * full + "░" * (_BAR_LENGTH - full)


def _explanation(run: Run) -> str:
    """Return the gate's explanation, which is always in English."""
    explanation = str((run.decision or {}).get("sentence", ""))
    return fill("{explanation}", explanation=truncate(explanation, _EXPLANATION_LENGTH))
