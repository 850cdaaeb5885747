"""The buttons under a verdict."""

from dataclasses import dataclass
from typing import Final

from bot.buttons import NUMBER, Keyboard, TapKind, make_button, make_keyboard
from bot.texts import Texts, fill
from storage.db.states import Vote

UNDO: Final = "undo"
VOTE_PATTERN: Final = rf"^{TapKind.VOTE}:{NUMBER}:({'|'.join([*Vote, UNDO])})\Z"


@dataclass(frozen=True, slots=True)
class VoteTap:
    """A tap under a verdict: the person's vote on the prediction, or None to undo it."""

    prediction_id: int
    vote: Vote | None


def parse_vote_tap(data: str) -> VoteTap:
    """Parse data that matches VOTE_PATTERN."""
    _, prediction_id, word = data.split(":")
    return VoteTap(int(prediction_id), None if word == UNDO else Vote(word))


def verdict_keyboard(texts: Texts, prediction_id: int, chosen: Vote | None) -> Keyboard:
    """Return the buttons Right, Wrong and Neither. A ``chosen`` vote is marked, with an Undo button below."""
    labels = {
        Vote.RIGHT: texts.button_right,
        Vote.WRONG: texts.button_wrong,
        Vote.NEITHER: texts.button_neither,
    }
    votes = [
        make_button(fill(texts.button_chosen, button=label) if vote is chosen else label, _data(prediction_id, vote))
        for vote, label in labels.items()
    ]
    undo = [[make_button(texts.button_undo, _data(prediction_id, UNDO))]] if chosen else []
    return make_keyboard([votes, *undo])


def _data(prediction_id: int, word: str) -> str:
    return f"{TapKind.VOTE}:{prediction_id}:{word}"
