"""The buttons under the questions about consent, notices and deletion."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.buttons import ButtonStyle, Keyboard, TapKind, make_button, make_keyboard
from bot.texts import CONSENT_WORDING, CONSENT_WORDINGS, NOTICES_WORDING, NOTICES_WORDINGS, Texts


def _answer_pattern(kind: TapKind, wordings: Sequence[str]) -> str:
    """Return a pattern that matches the kind, one of the wordings and the answer."""
    return rf"^{kind}:({'|'.join(map(re.escape, wordings))}):(yes|no)\Z"


CONSENT_PATTERN: Final = _answer_pattern(TapKind.CONSENT, CONSENT_WORDINGS)
NOTICES_PATTERN: Final = _answer_pattern(TapKind.NOTICES, NOTICES_WORDINGS)
DELETE_PATTERN: Final = rf"^{TapKind.DELETE}:(yes|no)\Z"


@dataclass(frozen=True, slots=True)
class ConsentTap:
    """A tap under a question about consent or notices: the answer and the version of the wording shown."""

    wording: str
    granted: bool


def parse_consent_tap(data: str) -> ConsentTap:
    """Parse data that matches CONSENT_PATTERN or NOTICES_PATTERN."""
    _, wording, answer = data.split(":")
    return ConsentTap(wording, answer == "yes")


def parse_delete_tap(data: str) -> bool:
    """Parse data that matches DELETE_PATTERN and return whether to delete everything."""
    return data == f"{TapKind.DELETE}:yes"


def consent_keyboard(texts: Texts, granted: bool) -> Keyboard:
    """Return the buttons to give or refuse consent or, if it was ``granted``, to withdraw or keep it."""
    prefix = f"{TapKind.CONSENT}:{CONSENT_WORDING}"
    if granted:
        withdraw = make_button(texts.button_consent_withdraw, f"{prefix}:no", ButtonStyle.DANGER)
        return make_keyboard([[withdraw, make_button(texts.button_consent_keep, f"{prefix}:yes")]])
    give = make_button(texts.button_consent_yes, f"{prefix}:yes", ButtonStyle.PRIMARY)
    return make_keyboard([[give, make_button(texts.button_no, f"{prefix}:no")]])


def notices_keyboard(texts: Texts, wanted: bool) -> Keyboard:
    """Return the button that stops notices if they are ``wanted``, or the buttons to request or refuse them if not."""
    answers = [(texts.button_notices_yes, "yes"), (texts.button_no, "no")]
    row = [(texts.button_notices_stop, "no")] if wanted else answers
    return make_keyboard(
        [[make_button(label, f"{TapKind.NOTICES}:{NOTICES_WORDING}:{answer}") for label, answer in row]]
    )


def delete_keyboard(texts: Texts) -> Keyboard:
    """Return the buttons to delete or keep everything."""
    delete = make_button(texts.button_delete, f"{TapKind.DELETE}:yes", ButtonStyle.DANGER)
    return make_keyboard([[delete, make_button(texts.button_no, f"{TapKind.DELETE}:no")]])
