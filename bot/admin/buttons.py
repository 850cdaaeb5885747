"""The buttons under a training run, under its decision and under the list of models."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.buttons import NUMBER, Keyboard, TapKind, make_button, make_keyboard
from bot.texts import Texts, fill

# Two of them fit into the data of one button; a model with a longer name gets none.
_VERSION: Final = "[0-9A-Za-z._-]{1,26}"


class RunAction(StrEnum):
    """What a button under a training run wants: CANCEL asks whether to, the others answer that."""

    CANCEL = "cancel"
    YES = "yes"
    NO = "no"


class CardAction(StrEnum):
    """What a button under a decision wants: PROMOTE asks whether to, the others answer that."""

    PROMOTE = "promote"
    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True)
class RunTap:
    """A tap under the message of a training run."""

    run_id: int
    action: RunAction


@dataclass(frozen=True, slots=True)
class CardTap:
    """A tap under the decision of a training run."""

    run_id: int
    action: CardAction


class ModelsAction(StrEnum):
    """What a button under the list of models wants: ASK and YES make another model live, LIST shows the list."""

    ASK = "ask"
    YES = "yes"
    LIST = "list"


RUN_PATTERN: Final = rf"^{TapKind.RUN}:{NUMBER}:({'|'.join(RunAction)})\Z"
CARD_PATTERN: Final = rf"^{TapKind.CARD}:{NUMBER}:({'|'.join(CardAction)})\Z"
MODELS_PATTERN: Final = (
    rf"^{TapKind.MODELS}:({ModelsAction.LIST}|({ModelsAction.ASK}|{ModelsAction.YES}):{_VERSION}:{_VERSION})\Z"
)


@dataclass(frozen=True, slots=True)
class ModelsTap:
    """A tap under the list of models; ``version`` is to answer instead of ``live``, both empty for LIST."""

    action: ModelsAction
    version: str = ""
    live: str = ""


def parse_run_tap(data: str) -> RunTap:
    """Read data that matches RUN_PATTERN."""
    _, run_id, wish = data.split(":")
    return RunTap(int(run_id), RunAction(wish))


def parse_card_tap(data: str) -> CardTap:
    """Read data that matches CARD_PATTERN."""
    _, run_id, wish = data.split(":")
    return CardTap(int(run_id), CardAction(wish))


def parse_models_tap(data: str) -> ModelsTap:
    """Read data that matches MODELS_PATTERN."""
    _, wish, *versions = data.split(":")
    return ModelsTap(ModelsAction(wish), *versions)


def run_keyboard(texts: Texts, run_id: int, asking: bool) -> Keyboard:
    """Cancel; once that was tapped, whether to."""
    if asking:
        row = [(texts.button_cancel_yes, RunAction.YES), (texts.button_cancel_no, RunAction.NO)]
    else:
        row = [(texts.button_cancel_run, RunAction.CANCEL)]
    return make_keyboard([[make_button(label, f"{TapKind.RUN}:{run_id}:{wish}") for label, wish in row]])


def card_keyboard(texts: Texts, run_id: int, asking: bool) -> Keyboard:
    """Promote; once that was tapped, whether to."""
    if asking:
        row = [(texts.button_promote_yes, CardAction.YES), (texts.button_promote_no, CardAction.NO)]
    else:
        row = [(texts.button_promote, CardAction.PROMOTE)]
    return make_keyboard([[make_button(label, f"{TapKind.CARD}:{run_id}:{wish}") for label, wish in row]])


def models_keyboard(texts: Texts, live: str, newer: Sequence[str], older: Sequence[str]) -> Keyboard:
    """A row for each model that could answer instead of the live one: promote a newer, go back to an older."""
    labels = [(texts.button_models_promote, version) for version in newer]
    labels += [(texts.button_models_back, version) for version in older]
    buttons = [
        make_button(fill(label, version=version), f"{TapKind.MODELS}:{ModelsAction.ASK}:{version}:{live}")
        for label, version in labels
    ]
    return make_keyboard([[button] for button in buttons if re.match(MODELS_PATTERN, button["callback_data"])])


def model_change_keyboard(texts: Texts, version: str, live: str) -> Keyboard:
    """Make the change, or leave it."""
    yes = make_button(texts.button_models_yes, f"{TapKind.MODELS}:{ModelsAction.YES}:{version}:{live}")
    return make_keyboard([[yes, make_button(texts.button_models_no, f"{TapKind.MODELS}:{ModelsAction.LIST}")]])
