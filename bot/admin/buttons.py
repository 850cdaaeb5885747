"""The buttons under training runs, decision cards and the list of models."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.buttons import NUMBER, ButtonStyle, Keyboard, TapKind, make_button, make_keyboard
from bot.texts import Texts, fill

# Matches versions that are short enough for a button's data to hold two of them. Models with longer versions don't get
# a button.
_VERSION: Final = "[0-9A-Za-z._-]{1,26}"


class RunAction(StrEnum):
    """The actions of the buttons under a training run. CANCEL asks for confirmation. YES confirms and NO declines."""

    CANCEL = "cancel"
    YES = "yes"
    NO = "no"


class CardAction(StrEnum):
    """The actions of the buttons under a decision card.

    PROMOTE, TRY (start a trial) and BACK (roll back a trial) ask for confirmation. YES, TRY_YES and BACK_YES confirm,
    and NO declines. WAIT lets the next round start once there are enough votes to decide.
    """

    PROMOTE = "promote"
    YES = "yes"
    TRY = "try"
    TRY_YES = "try_yes"
    BACK = "back"
    BACK_YES = "back_yes"
    NO = "no"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class RunTap:
    """A tap under a training run's message."""

    run_id: int
    action: RunAction


@dataclass(frozen=True, slots=True)
class CardTap:
    """A tap under a training run's decision card."""

    run_id: int
    action: CardAction


class ModelsAction(StrEnum):
    """The actions of the buttons under the list of models.

    ASK asks for confirmation, YES confirms, and LIST goes back.
    """

    ASK = "ask"
    YES = "yes"
    LIST = "list"


RUN_PATTERN: Final = rf"^{TapKind.RUN}:{NUMBER}:({'|'.join(RunAction)})\Z"
CARD_PATTERN: Final = rf"^{TapKind.CARD}:{NUMBER}:({'|'.join(CardAction)})\Z"
MODELS_PATTERN: Final = (
    rf"^{TapKind.MODELS}:({ModelsAction.LIST}|({ModelsAction.ASK}|{ModelsAction.YES}):{_VERSION}:{_VERSION})\Z"
)


VOTERS_PATTERN: Final = rf"^{TapKind.VOTERS}:-?{NUMBER}:[0-9]{{1,9}}\Z"


@dataclass(frozen=True, slots=True)
class VotersTap:
    """A tap that opens another page of the list of people (id 0) or of one person's votes."""

    telegram_id: int
    page: int


@dataclass(frozen=True, slots=True)
class ModelsTap:
    """A tap under the list of models, with the version to make live and the version that it would replace.

    LIST has neither.
    """

    action: ModelsAction
    version: str = ""
    live: str = ""


def parse_run_tap(data: str) -> RunTap:
    """Parse data that matches RUN_PATTERN."""
    _, run_id, action = data.split(":")
    return RunTap(int(run_id), RunAction(action))


def parse_card_tap(data: str) -> CardTap:
    """Parse data that matches CARD_PATTERN."""
    _, run_id, action = data.split(":")
    return CardTap(int(run_id), CardAction(action))


def parse_models_tap(data: str) -> ModelsTap:
    """Parse data that matches MODELS_PATTERN."""
    _, action, *versions = data.split(":")
    return ModelsTap(ModelsAction(action), *versions)


def parse_voters_tap(data: str) -> VotersTap:
    """Parse data that matches VOTERS_PATTERN."""
    _, telegram_id, page = data.split(":")
    return VotersTap(int(telegram_id), int(page))


def voters_keyboard(texts: Texts, telegram_id: int, page: int, pages: int) -> Keyboard | None:
    """Return buttons for the pages before and after the zero-based ``page``, or None if there is only one page."""
    targets = [(texts.button_previous, page - 1)] if page else []
    targets += [(texts.button_next, page + 1)] if page + 1 < pages else []
    row = [make_button(label, f"{TapKind.VOTERS}:{telegram_id}:{target}") for label, target in targets]
    return make_keyboard([row]) if row else None


def run_keyboard(texts: Texts, run_id: int, asking: bool) -> Keyboard:
    """Return the Cancel button, or the buttons that confirm or decline if ``asking`` is true."""
    prefix = f"{TapKind.RUN}:{run_id}"
    if not asking:
        return make_keyboard([[make_button(texts.button_cancel_run, f"{prefix}:{RunAction.CANCEL}")]])
    cancel = make_button(texts.button_cancel_yes, f"{prefix}:{RunAction.YES}", ButtonStyle.DANGER)
    return make_keyboard([[cancel, make_button(texts.button_cancel_no, f"{prefix}:{RunAction.NO}")]])


def card_keyboard(run_id: int, *rows: Sequence[tuple[str, CardAction]]) -> Keyboard:
    """Return rows of buttons, built from pairs of a label and an action."""
    return make_keyboard(
        [[make_button(label, f"{TapKind.CARD}:{run_id}:{action}") for label, action in row] for row in rows if row]
    )


def card_question_keyboard(texts: Texts, run_id: int, question: CardAction) -> Keyboard:
    """Return the buttons that confirm or decline PROMOTE, TRY or BACK."""
    yes = {
        CardAction.PROMOTE: (texts.button_promote_yes, CardAction.YES),
        CardAction.TRY: (texts.button_try_yes, CardAction.TRY_YES),
        CardAction.BACK: (texts.button_back_yes, CardAction.BACK_YES),
    }[question]
    return card_keyboard(run_id, [yes, (texts.button_promote_no, CardAction.NO)])


def models_keyboard(texts: Texts, live: str, others: Sequence[str], targets: Sequence[str]) -> Keyboard:
    """Return a button for each model that could replace the live one. Buttons for ``targets`` offer a rollback."""
    labels = [(texts.button_models_promote, version) for version in others]
    labels += [(texts.button_models_back, version) for version in targets]
    buttons = [
        make_button(fill(label, version=version), f"{TapKind.MODELS}:{ModelsAction.ASK}:{version}:{live}")
        for label, version in labels
    ]
    return make_keyboard([[button] for button in buttons if re.match(MODELS_PATTERN, button["callback_data"])])


def model_change_keyboard(texts: Texts, version: str, live: str) -> Keyboard:
    """Return the buttons that confirm the change or go back to the list."""
    data = f"{TapKind.MODELS}:{ModelsAction.YES}:{version}:{live}"
    yes = make_button(texts.button_models_yes, data, ButtonStyle.PRIMARY)
    return make_keyboard([[yes, make_button(texts.button_models_no, f"{TapKind.MODELS}:{ModelsAction.LIST}")]])
