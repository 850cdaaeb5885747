"""The buttons under a verdict, or under the correction that replaces it if people agreed on the other label."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.buttons import NUMBER, Keyboard, TapKind, make_button, make_keyboard
from bot.texts import Texts, fill
from storage.db.states import Reason, Vote

UNDO: Final = "undo"
# The answer to a question that a person doesn't want to answer.
NO: Final = "no"


class Shown(StrEnum):
    """What to show for a text: the model's own verdict, or the label that PEOPLE agreed on."""

    MODEL = "model"
    PEOPLE = "people"


VOTE_PATTERN: Final = rf"^{TapKind.VOTE}:{NUMBER}:({'|'.join([*Vote, UNDO])})\Z"
CORRECTED_PATTERN: Final = rf"^{TapKind.CORRECTED}:{NUMBER}:({'|'.join([*Vote, UNDO, *Shown])})\Z"
REASON_PATTERN: Final = rf"^{TapKind.REASON}:{NUMBER}:({'|'.join([*Reason, NO])})\Z"
QUESTION_PATTERN: Final = rf"^{TapKind.QUESTION}:{NUMBER}:(never|{NO})\Z"
EXPLANATION_PATTERN: Final = rf"^{TapKind.EXPLANATION}:{NUMBER}\Z"
ABSTENTION_PATTERN: Final = rf"^{TapKind.ABSTENTION}:{NUMBER}:review\Z"
# The reasons that can be given for each vote. They are only those that say something new about the text.
_REASONS: Final[dict[Vote, tuple[Reason, ...]]] = {
    Vote.WRONG: (Reason.SARCASM, Reason.BOTH, Reason.OTHER),
    Vote.NEITHER: (Reason.BOTH, Reason.NOT_REVIEW, Reason.SARCASM, Reason.OTHER),
}

Row = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class VoteTap:
    """A tap under a verdict: the person's vote on the prediction, or None to undo it."""

    prediction_id: int
    vote: Vote | None


@dataclass(frozen=True, slots=True)
class CorrectedTap:
    """A tap under a correction: a vote on the shown label, None to undo the vote, or what to show instead."""

    prediction_id: int
    action: Vote | Shown | None


@dataclass(frozen=True, slots=True)
class ReasonTap:
    """A tap on a reason for the person's vote. ``reason`` is None if the person declined to give one."""

    prediction_id: int
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class QuestionTap:
    """A tap that leaves a question about a verdict unanswered.

    If ``never`` is true, the tap also turns off questions about verdicts.
    """

    prediction_id: int
    never: bool


def parse_vote_tap(data: str) -> VoteTap:
    """Parse data that matches VOTE_PATTERN."""
    _, prediction_id, word = data.split(":")
    return VoteTap(int(prediction_id), None if word == UNDO else Vote(word))


def parse_corrected_tap(data: str) -> CorrectedTap:
    """Parse data that matches CORRECTED_PATTERN."""
    _, prediction_id, word = data.split(":")
    if word in list(Shown):
        return CorrectedTap(int(prediction_id), Shown(word))
    return CorrectedTap(int(prediction_id), None if word == UNDO else Vote(word))


def parse_reason_tap(data: str) -> ReasonTap:
    """Parse data that matches REASON_PATTERN."""
    _, prediction_id, word = data.split(":")
    return ReasonTap(int(prediction_id), None if word == NO else Reason(word))


def parse_abstention_tap(data: str) -> int:
    """Parse data that matches ABSTENTION_PATTERN and return the prediction's id."""
    _, prediction_id, _ = data.split(":")
    return int(prediction_id)


def parse_question_tap(data: str) -> QuestionTap:
    """Parse data that matches QUESTION_PATTERN."""
    _, prediction_id, word = data.split(":")
    return QuestionTap(int(prediction_id), word != NO)


def parse_explanation_tap(data: str) -> int:
    """Parse data that matches EXPLANATION_PATTERN and return the prediction's id."""
    _, prediction_id = data.split(":")
    return int(prediction_id)


def verdict_keyboard(texts: Texts, prediction_id: int, chosen: Vote | None, more: Sequence[Row] = ()) -> Keyboard:
    """Return the buttons Right, Wrong and Neither, followed by ``more`` rows and the button that asks why.

    A ``chosen`` vote is marked, and an Undo button is added at the end.
    """
    return _vote_keyboard(texts, TapKind.VOTE, prediction_id, chosen, more)


def corrected_keyboard(texts: Texts, prediction_id: int, chosen: Vote | None) -> Keyboard:
    """Return the buttons for voting on the agreed label, and a button that shows the model's verdict."""
    model = [make_button(texts.button_show_model, f"{TapKind.CORRECTED}:{prediction_id}:{Shown.MODEL}")]
    return _vote_keyboard(texts, TapKind.CORRECTED, prediction_id, chosen, [model])


def people_row(texts: Texts, prediction_id: int) -> Row:
    """Return the button that shows the agreed label."""
    return [make_button(texts.button_show_people, f"{TapKind.CORRECTED}:{prediction_id}:{Shown.PEOPLE}")]


def reason_rows(texts: Texts, prediction_id: int, vote: Vote | None, chosen: Reason | None = None) -> list[Row]:
    """Return buttons for the reasons that fit the vote, two per row, with the ``chosen`` reason marked.

    Until a reason is chosen, the last button declines to give one.
    """
    labels = {
        Reason.BOTH: texts.button_reason_both,
        Reason.NOT_REVIEW: texts.button_reason_not_review,
        Reason.SARCASM: texts.button_reason_sarcasm,
        Reason.OTHER: texts.button_reason_other,
    }
    buttons = [
        make_button(_mark(texts, labels[reason], reason is chosen), f"{TapKind.REASON}:{prediction_id}:{reason}")
        for reason in (_REASONS.get(vote, ()) if vote else ())
    ]
    if buttons and chosen is None:
        buttons.append(make_button(texts.button_no, f"{TapKind.REASON}:{prediction_id}:{NO}"))
    return [buttons[start : start + 2] for start in range(0, len(buttons), 2)]


def question_row(texts: Texts, prediction_id: int) -> Row:
    """Return a button that leaves the question unanswered, and one that turns off questions about verdicts."""
    prefix = f"{TapKind.QUESTION}:{prediction_id}"
    return [make_button(texts.button_no, f"{prefix}:{NO}"), make_button(texts.button_never_ask, f"{prefix}:never")]


def abstention_keyboard(texts: Texts, prediction_id: int) -> Keyboard:
    """Return the button for confirming that the text is a review."""
    return make_keyboard([[make_button(texts.button_is_review, f"{TapKind.ABSTENTION}:{prediction_id}:review")]])


def _vote_keyboard(
    texts: Texts, kind: TapKind, prediction_id: int, chosen: Vote | None, more: Sequence[Row]
) -> Keyboard:
    prefix = f"{kind}:{prediction_id}"
    labels = {
        Vote.RIGHT: texts.button_right,
        Vote.WRONG: texts.button_wrong,
        Vote.NEITHER: texts.button_neither,
    }
    votes = [make_button(_mark(texts, label, vote is chosen), f"{prefix}:{vote}") for vote, label in labels.items()]
    why = make_button(texts.button_why, f"{TapKind.EXPLANATION}:{prediction_id}")
    undo = [make_button(texts.button_undo, f"{prefix}:{UNDO}")] if chosen else []
    return make_keyboard([votes, *more, [why, *undo]])


def _mark(texts: Texts, label: str, chosen: bool) -> str:
    return fill(texts.button_chosen, button=label) if chosen else label
