"""The buttons under a verdict."""

from dataclasses import dataclass
from typing import Final

from bot.buttons import NUMBER, Keyboard, TapKind, make_button, make_keyboard
from bot.texts import Texts, fill
from storage.db.states import Vote

UNDO: Final = "undo"
VOTE_PATTERN: Final = rf"^{TapKind.JUDGE}:{NUMBER}:({'|'.join([*Vote, UNDO])})\Z"


@dataclass(frozen=True, slots=True)
class VoteTap:
    """A tap under a verdict: what the person says of a prediction, None to undo."""

    prediction_id: int
    vote: Vote | None


def parse_vote_tap(data: str) -> VoteTap:
    """Read data that matches JUDGE_PATTERN."""
    _, prediction_id, word = data.split(":")
    return VoteTap(int(prediction_id), None if word == UNDO else Vote(word))


def verdict_keyboard(texts: Texts, prediction_id: int, chosen: Vote | None) -> Keyboard:
    """Right, wrong and neither; once one is chosen it is marked, and undo stands below."""
    labels = {
        Vote.RIGHT: texts.button_right,
        Vote.WRONG: texts.button_wrong,
        Vote.NEITHER: texts.button_neither,
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
    return f"{TapKind.JUDGE}:{prediction_id}:{word}"
