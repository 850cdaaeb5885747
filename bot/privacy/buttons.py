"""The buttons under the questions for consent, for notices and for deletion."""

from dataclasses import dataclass
from typing import Final

from bot.buttons import Keyboard, TapKind, make_button, make_keyboard
from bot.texts import CONSENT_WORDING, NOTICES_WORDING, Texts

# After the kind: the version of a wording, and the answer.
_WORDING_AND_ANSWER: Final = r"[0-9a-z.-]{1,16}:(yes|no)\Z"
CONSENT_PATTERN: Final = rf"^{TapKind.CONSENT}:{_WORDING_AND_ANSWER}"
NOTICES_PATTERN: Final = rf"^{TapKind.NOTICES}:{_WORDING_AND_ANSWER}"
DELETE_PATTERN: Final = rf"^{TapKind.DELETE}:(yes|no)\Z"


@dataclass(frozen=True, slots=True)
class ConsentTap:
    """A tap under a question for consent: the answer, and the version of the wording that it answers."""

    wording: str
    granted: bool


def parse_consent_tap(data: str) -> ConsentTap:
    """Read data that matches CONSENT_PATTERN or NOTICES_PATTERN."""
    _, wording, word = data.split(":")
    return ConsentTap(wording, word == "yes")


def parse_delete_tap(data: str) -> bool:
    """Read data that matches DELETE_PATTERN: whether everything is to be deleted."""
    return data == f"{TapKind.DELETE}:yes"


def consent_keyboard(texts: Texts, granted: bool) -> Keyboard:
    """Grant and leave, or withdraw and leave, whichever is not so yet."""
    if granted:
        row = [(texts.button_consent_withdraw, "no"), (texts.button_consent_keep, "yes")]
    else:
        row = [(texts.button_consent_yes, "yes"), (texts.button_consent_no, "no")]
    return make_keyboard([[make_button(label, f"{TapKind.CONSENT}:{CONSENT_WORDING}:{word}") for label, word in row]])


def notices_keyboard(texts: Texts, wanted: bool) -> Keyboard:
    """Stop notices that are wanted, or ask for them."""
    label, word = (texts.button_notices_stop, "no") if wanted else (texts.button_notices_yes, "yes")
    return make_keyboard([[make_button(label, f"{TapKind.NOTICES}:{NOTICES_WORDING}:{word}")]])


def delete_keyboard(texts: Texts) -> Keyboard:
    """Delete or keep."""
    row = [(texts.button_delete, "yes"), (texts.button_keep, "no")]
    return make_keyboard([[make_button(label, f"{TapKind.DELETE}:{word}") for label, word in row]])
