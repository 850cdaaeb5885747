"""How a verdict reads in the chat, from what the database holds of it."""

from typing import Final

from bot.texts import Texts, fill
from storage.judgements import Verdict
from storage.predictions import Prediction

THUMBS: Final = {"Positive": "👍", "Negative": "👎"}
# No model is certain, and "100 %" would say so.
_MOST_PERCENT: Final = 99


def render_verdict(texts: Texts, prediction: Prediction, judged: Verdict | None = None) -> str:
    """Thumb, label, confidence, how the text was read, the version, and the thanks once it is judged; HTML."""
    answer = fill(
        texts.verdict_sure if prediction.sure else texts.verdict_unsure,
        thumb=THUMBS[prediction.label],
        label=prediction.label,
        percent=percent_of(prediction.confidence),
    )
    lines = [answer]
    if prediction.windows > 1:
        lines.append(fill(texts.windows, windows=prediction.windows))
    lines.append(fill(texts.version, version=prediction.version))
    if judged is not None:
        thanks = {
            Verdict.RIGHT: texts.judged_right,
            Verdict.WRONG: texts.judged_wrong,
            Verdict.NEITHER: texts.judged_neither,
        }
        lines += ["", thanks[judged]]
    return "\n".join(lines)


def percent_of(confidence: float) -> int:
    """A confidence of 0 to 1 as it is shown: a whole number, never 100."""
    return min(round(100 * confidence), _MOST_PERCENT)
