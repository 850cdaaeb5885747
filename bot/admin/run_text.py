"""Renders training runs and decisions as HTML."""

from typing import Final

from bot.formatting import truncate
from bot.texts import Texts, fill
from storage.db.states import RunKind, RunState
from storage.training.runs import Run

_BAR_LENGTH: Final = 12
# Maximum number of characters in an explanation. Telegram allows 1,024 in a photo's caption, and the caption contains
# other text too.
_EXPLANATION_LENGTH: Final = 700


def render_run(texts: Texts, run: Run) -> str:
    """Return a run's kind and number, with its progress or result, as HTML."""
    return f"{_title(texts, run)}\n{_status(texts, run)}"


def render_decision(texts: Texts, run: Run, note: str | None = None) -> str:
    """Return the decision on the candidate, its version, and ``note`` as HTML. ``note`` must be HTML already."""
    lines = [_title(texts, run), _explanation(run)]
    if run.candidate is not None:
        lines.append(fill(texts.card_candidate, version=run.candidate))
    return "\n".join([*lines, *(["", note] if note else [])])


def _title(texts: Texts, run: Run) -> str:
    title = texts.run_title_full if run.kind is RunKind.FULL_RUN else texts.run_title_round
    return fill(title, number=run.id)


def _status(texts: Texts, run: Run) -> str:
    if run.open and run.cancel_asked:
        return texts.run_cancelling
    if run.state is RunState.RUNNING:
        return _progress(texts, run)
    if run.state is RunState.FAILED:
        return fill(texts.run_failed, reason=run.error or "")
    texts_by_state = {
        RunState.QUEUED: texts.run_queued,
        RunState.EVALUATING: texts.run_evaluating,
        RunState.CANCELLED: texts.run_cancelled,
    }
    return texts_by_state.get(run.state) or _explanation(run)


def _progress(texts: Texts, run: Run) -> str:
    if not run.steps or not run.epoch:
        return texts.run_preparing
    share = min(run.step / run.steps, 1.0)
    full = int(_BAR_LENGTH * share)
    return fill(
        texts.run_training,
        bar="▓" * full + "░" * (_BAR_LENGTH - full),
        percent=int(100 * share),
        epoch=run.epoch,
        epochs=run.epochs,
        step=f"{run.step:,}",
        steps=f"{run.steps:,}",
        speed=_speed_text(run.samples_per_second or 0.0),
    )


def _speed_text(texts_per_second: float) -> str:
    """Return the speed with a decimal if it is low, as for a large network on a CPU."""
    return f"{texts_per_second:.0f}" if texts_per_second >= 10 else f"{texts_per_second:.1f}"


def _explanation(run: Run) -> str:
    """Return the gate's explanation, which is always in English."""
    explanation = str((run.decision or {}).get("sentence", ""))
    return fill("{explanation}", explanation=truncate(explanation, _EXPLANATION_LENGTH))
