"""Inline keyboards and their callback data, which must still work after a restart.

Data is ``<kind>:<number or word>[:<word>]``, well under Telegram's 64 bytes; nothing else is remembered.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from bot.texts import CONSENT_WORDING, NOTICES_WORDING, Texts, fill
from storage.judgements import Verdict

Keyboard = dict[str, Any]
UNDO: Final = "undo"
# Two of them fit into the data of one button; a model with a longer name gets none.
_VERSION: Final = "[0-9A-Za-z._-]{1,26}"


class Kind(StrEnum):
    """What a tap is about; the first field of its data."""

    JUDGE = "judge"
    CONSENT = "consent"
    NOTICES = "notices"
    DELETE = "delete"
    RUN = "run"
    CARD = "card"
    MODELS = "models"
    LABEL = "label"
    SETTLE = "settle"


@dataclass(frozen=True, slots=True)
class Judging:
    """A tap under a verdict: what the person says of a prediction, None to undo."""

    prediction_id: int
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Consenting:
    """A tap under a question for consent: the answer, and the version of the wording that it answers."""

    wording: str
    granted: bool


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


@dataclass(frozen=True, slots=True)
class OnModels:
    """A tap under the list of models; ``version`` is to answer instead of ``live``, both empty for LIST."""

    wish: ModelsTap
    version: str = ""
    live: str = ""


class LabelTap(StrEnum):
    """What a labeller says of a text; SKIP says nothing, and UNDO takes the last answer back."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    NEITHER = "neither"
    SKIP = "skip"
    UNDO = "undo"


# An admin's word stands until the admin judges the text again.
_SETTLING: Final = [tap for tap in LabelTap if tap is not LabelTap.UNDO]


def pattern(kind: Kind) -> str:
    """The regular expression of the kind's callback data.

    Anyone can send other data than the keyboards make, so a number is one that the database takes.
    """
    return {
        Kind.JUDGE: rf"^{kind}:[0-9]{{1,18}}:({'|'.join([*Verdict, UNDO])})\Z",
        Kind.CONSENT: rf"^{kind}:[0-9a-z.-]{{1,16}}:(yes|no)\Z",
        Kind.NOTICES: rf"^{kind}:[0-9a-z.-]{{1,16}}:(yes|no)\Z",
        Kind.DELETE: rf"^{kind}:(yes|no)\Z",
        Kind.RUN: rf"^{kind}:[0-9]{{1,18}}:({'|'.join(RunTap)})\Z",
        Kind.CARD: rf"^{kind}:[0-9]{{1,18}}:({'|'.join(CardTap)})\Z",
        Kind.MODELS: rf"^{kind}:({ModelsTap.LIST}|({ModelsTap.ASK}|{ModelsTap.YES}):{_VERSION}:{_VERSION})\Z",
        Kind.LABEL: rf"^{kind}:[0-9]{{1,18}}:({'|'.join(LabelTap)})\Z",
        Kind.SETTLE: rf"^{kind}:[0-9]{{1,18}}:[0-9]{{1,6}}:({'|'.join(_SETTLING)})\Z",
    }[kind]


def read_judging(data: str) -> Judging:
    """Read data that matches the pattern of ``Kind.JUDGE``."""
    _, prediction_id, word = data.split(":")
    return Judging(int(prediction_id), None if word == UNDO else Verdict(word))


def read_consenting(data: str) -> Consenting:
    """Read data that matches the pattern of ``Kind.CONSENT`` or ``Kind.NOTICES``."""
    _, wording, word = data.split(":")
    return Consenting(wording, word == "yes")


def read_deleting(data: str) -> bool:
    """Read data that matches the pattern of ``Kind.DELETE``: whether everything is to be deleted."""
    return data == f"{Kind.DELETE}:yes"


def read_on_run(data: str) -> OnRun:
    """Read data that matches the pattern of ``Kind.RUN``."""
    _, run_id, wish = data.split(":")
    return OnRun(int(run_id), RunTap(wish))


def read_on_card(data: str) -> OnCard:
    """Read data that matches the pattern of ``Kind.CARD``."""
    _, run_id, wish = data.split(":")
    return OnCard(int(run_id), CardTap(wish))


def read_on_models(data: str) -> OnModels:
    """Read data that matches the pattern of ``Kind.MODELS``."""
    _, wish, *versions = data.split(":")
    return OnModels(ModelsTap(wish), *versions)


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


def consent_keyboard(texts: Texts, granted: bool) -> Keyboard:
    """Grant and leave, or withdraw and leave, whichever is not so yet."""
    if granted:
        row = [(texts.button_consent_withdraw, "no"), (texts.button_consent_keep, "yes")]
    else:
        row = [(texts.button_consent_yes, "yes"), (texts.button_consent_no, "no")]
    return make_keyboard([[make_button(label, f"{Kind.CONSENT}:{CONSENT_WORDING}:{word}") for label, word in row]])


def notices_keyboard(texts: Texts, wanted: bool) -> Keyboard:
    """Stop notices that are wanted, or ask for them."""
    label, word = (texts.button_notices_stop, "no") if wanted else (texts.button_notices_yes, "yes")
    return make_keyboard([[make_button(label, f"{Kind.NOTICES}:{NOTICES_WORDING}:{word}")]])


def delete_keyboard(texts: Texts) -> Keyboard:
    """Delete or keep."""
    row = [(texts.button_delete, "yes"), (texts.button_keep, "no")]
    return make_keyboard([[make_button(label, f"{Kind.DELETE}:{word}") for label, word in row]])


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
    return make_keyboard([[button] for button in buttons if re.match(pattern(Kind.MODELS), button["callback_data"])])


def model_change_keyboard(texts: Texts, version: str, live: str) -> Keyboard:
    """Make the change, or leave it."""
    yes = make_button(texts.button_models_yes, f"{Kind.MODELS}:{ModelsTap.YES}:{version}:{live}")
    return make_keyboard([[yes, make_button(texts.button_models_no, f"{Kind.MODELS}:{ModelsTap.LIST}")]])


def _judge(prediction_id: int, word: str) -> str:
    return f"{Kind.JUDGE}:{prediction_id}:{word}"


def make_button(text: str, data: str) -> dict[str, str]:
    """One button, and the data that its tap brings back."""
    return {"text": text, "callback_data": data}


def make_keyboard(rows: Sequence[Sequence[dict[str, str]]]) -> Keyboard:
    """Buttons in rows, as Telegram takes them."""
    return {"inline_keyboard": [list(row) for row in rows]}
