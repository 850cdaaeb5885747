"""The buttons under a verdict."""

from dataclasses import dataclass
from typing import Final

from bot.buttons import NUMBER, Keyboard, Kind, make_button, make_keyboard
from bot.texts import Texts, fill
from storage.db.states import Verdict

UNDO: Final = "undo"
JUDGE_PATTERN: Final = rf"^{Kind.JUDGE}:{NUMBER}:({'|'.join([*Verdict, UNDO])})\Z"


@dataclass(frozen=True, slots=True)
class Judging:
    """A tap under a verdict: what the person says of a prediction, None to undo."""

    prediction_id: int
    verdict: Verdict | None


def read_judging(data: str) -> Judging:
    """Read data that matches JUDGE_PATTERN."""
    _, prediction_id, word = data.split(":")
    return Judging(int(prediction_id), None if word == UNDO else Verdict(word))


def verdict_keyboard(texts: Texts, prediction_id: int, chosen: Verdict | None) -> Keyboard:
    """Right, wrong and neither; once one is chosen it is marked, and undo stands below."""
    labels = {
        Verdict.RIGHT: texts.button_right,
        Verdict.WRONG: texts.button_wrong,
        Verdict.NEITHER: texts.button_neither,
    }
    votes = [
        make_button(
            fill(texts.button_chosen, button=label) if verdict is chosen else label, _judge(prediction_id, verdict)
        )
        for verdict, label in labels.items()
    ]
    undo = [[make_button(texts.button_undo, _judge(prediction_id, UNDO))]] if chosen else []
    return make_keyboard([votes, *undo])


def _judge(prediction_id: int, word: str) -> str:
    return f"{Kind.JUDGE}:{prediction_id}:{word}"
