"""How a training run and its decision read in the chat."""

from typing import Final

from bot.texts import Texts, fill
from storage.db.states import RunKind, RunState
from storage.training.runs import Run

_BAR: Final = 12
# Telegram takes 1,024 characters under a photo; this leaves room for the rest of the caption.
_LONGEST_SENTENCE: Final = 700


def render_run(texts: Texts, run: Run) -> str:
    """The run's kind and number, and how far it is or what came of it; HTML."""
    return f"{_title(texts, run)}\n{_standing(texts, run)}"


def render_decision(texts: Texts, run: Run, note: str | None = None) -> str:
    """The verdict on the candidate, its version, and ``note``, which is HTML like the rest."""
    lines = [_title(texts, run), _sentence(run)]
    if run.candidate is not None:
        lines.append(fill(texts.card_candidate, version=run.candidate))
    return "\n".join([*lines, *(["", note] if note else [])])


def _title(texts: Texts, run: Run) -> str:
    title = texts.run_title_full if run.kind is RunKind.FULL_RUN else texts.run_title_round
    return fill(title, number=run.id)


def _standing(texts: Texts, run: Run) -> str:
    if run.open and run.cancel_asked:
        return texts.run_cancelling
    if run.state is RunState.RUNNING:
        return _training(texts, run)
    if run.state is RunState.FAILED:
        return fill(texts.run_failed, reason=run.error or "")
    plain = {
        RunState.QUEUED: texts.run_queued,
        RunState.EVALUATING: texts.run_evaluating,
        RunState.CANCELLED: texts.run_cancelled,
    }
    return plain.get(run.state) or _sentence(run)


def _training(texts: Texts, run: Run) -> str:
    if not run.steps or not run.epoch:
        return texts.run_preparing
    share = min(run.step / run.steps, 1.0)
    full = int(_BAR * share)
    return fill(
        texts.run_training,
        bar="▓" * full + "░" * (_BAR - full),
        percent=int(100 * share),
        epoch=run.epoch,
        epochs=run.epochs,
        step=f"{run.step:,}",
        steps=f"{run.steps:,}",
        speed=f"{run.samples_per_second or 0:.0f}",
    )


def _sentence(run: Run) -> str:
    """The gate's sentence, which is English in every language."""
    sentence = str((run.decision or {}).get("sentence", ""))
    if len(sentence) > _LONGEST_SENTENCE:
        sentence = sentence[: _LONGEST_SENTENCE - 1] + "…"
    return fill("{sentence}", sentence=sentence)
