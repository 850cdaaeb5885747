"""The buttons under a training run, under its decision and under the list of models."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.buttons import NUMBER, Keyboard, Kind, make_button, make_keyboard
from bot.texts import Texts, fill

# Two of them fit into the data of one button; a model with a longer name gets none.
_VERSION: Final = "[0-9A-Za-z._-]{1,26}"


class RunTap(StrEnum):
    """What a button under a training run wants: CANCEL asks whether to, the others answer that."""

    CANCEL = "cancel"
    YES = "yes"
    NO = "no"


class CardTap(StrEnum):
    """What a button under a decision wants: PROMOTE asks whether to, the others answer that."""

    PROMOTE = "promote"
    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True)
class OnRun:
    """A tap under the message of a training run."""

    run_id: int
    wish: RunTap


@dataclass(frozen=True, slots=True)
class OnCard:
    """A tap under the decision of a training run."""

    run_id: int
    wish: CardTap


class ModelsTap(StrEnum):
    """What a button under the list of models wants: ASK and YES make another model live, LIST shows the list."""

    ASK = "ask"
    YES = "yes"
    LIST = "list"


RUN_PATTERN: Final = rf"^{Kind.RUN}:{NUMBER}:({'|'.join(RunTap)})\Z"
CARD_PATTERN: Final = rf"^{Kind.CARD}:{NUMBER}:({'|'.join(CardTap)})\Z"
MODELS_PATTERN: Final = rf"^{Kind.MODELS}:({ModelsTap.LIST}|({ModelsTap.ASK}|{ModelsTap.YES}):{_VERSION}:{_VERSION})\Z"


@dataclass(frozen=True, slots=True)
class OnModels:
    """A tap under the list of models; ``version`` is to answer instead of ``live``, both empty for LIST."""

    wish: ModelsTap
    version: str = ""
    live: str = ""


def read_on_run(data: str) -> OnRun:
    """Read data that matches RUN_PATTERN."""
    _, run_id, wish = data.split(":")
    return OnRun(int(run_id), RunTap(wish))


def read_on_card(data: str) -> OnCard:
    """Read data that matches CARD_PATTERN."""
    _, run_id, wish = data.split(":")
    return OnCard(int(run_id), CardTap(wish))


def read_on_models(data: str) -> OnModels:
    """Read data that matches MODELS_PATTERN."""
    _, wish, *versions = data.split(":")
    return OnModels(ModelsTap(wish), *versions)


def run_keyboard(texts: Texts, run_id: int, asking: bool) -> Keyboard:
    """Cancel; once that was tapped, whether to."""
    if asking:
        row = [(texts.button_cancel_yes, RunTap.YES), (texts.button_cancel_no, RunTap.NO)]
    else:
        row = [(texts.button_cancel_run, RunTap.CANCEL)]
    return make_keyboard([[make_button(label, f"{Kind.RUN}:{run_id}:{wish}") for label, wish in row]])


def card_keyboard(texts: Texts, run_id: int, asking: bool) -> Keyboard:
    """Promote; once that was tapped, whether to."""
    if asking:
        row = [(texts.button_promote_yes, CardTap.YES), (texts.button_promote_no, CardTap.NO)]
    else:
        row = [(texts.button_promote, CardTap.PROMOTE)]
    return make_keyboard([[make_button(label, f"{Kind.CARD}:{run_id}:{wish}") for label, wish in row]])


def models_keyboard(texts: Texts, live: str, newer: Sequence[str], older: Sequence[str]) -> Keyboard:
    """A row for each model that could answer instead of the live one: promote a newer, go back to an older."""
    labels = [(texts.button_models_promote, version) for version in newer]
    labels += [(texts.button_models_back, version) for version in older]
    buttons = [
        make_button(fill(label, version=version), f"{Kind.MODELS}:{ModelsTap.ASK}:{version}:{live}")
        for label, version in labels
    ]
    return make_keyboard([[button] for button in buttons if re.match(MODELS_PATTERN, button["callback_data"])])


def model_change_keyboard(texts: Texts, version: str, live: str) -> Keyboard:
    """Make the change, or leave it."""
    yes = make_button(texts.button_models_yes, f"{Kind.MODELS}:{ModelsTap.YES}:{version}:{live}")
    return make_keyboard([[yes, make_button(texts.button_models_no, f"{Kind.MODELS}:{ModelsTap.LIST}")]])
