"""The buttons under a text that needs a label: for labellers, and for admins who look at disputed texts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.buttons import NUMBER, Keyboard, Kind, make_button, make_keyboard
from bot.texts import Texts


class LabelTap(StrEnum):
    """What a labeller says of a text; SKIP says nothing, and UNDO takes the last answer back."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    NEITHER = "neither"
    SKIP = "skip"
    UNDO = "undo"


# An admin's word stands until the admin judges the text again.
_SETTLING: Final = [tap for tap in LabelTap if tap is not LabelTap.UNDO]
LABEL_PATTERN: Final = rf"^{Kind.LABEL}:{NUMBER}:({'|'.join(LabelTap)})\Z"
SETTLE_PATTERN: Final = rf"^{Kind.SETTLE}:{NUMBER}:[0-9]{{1,6}}:({'|'.join(_SETTLING)})\Z"


@dataclass(frozen=True, slots=True)
class OnOffer:
    """A tap under a text that was offered for a label."""

    offer_id: int
    tap: LabelTap


@dataclass(frozen=True, slots=True)
class OnQuarantined:
    """A tap under a text that an admin looks at, after so many that were ``skipped``; never UNDO."""

    prediction_id: int
    skipped: int
    tap: LabelTap


def read_on_offer(data: str) -> OnOffer:
    """Read data that matches LABEL_PATTERN."""
    _, offer_id, word = data.split(":")
    return OnOffer(int(offer_id), LabelTap(word))


def read_on_quarantined(data: str) -> OnQuarantined:
    """Read data that matches SETTLE_PATTERN."""
    _, prediction_id, skipped, word = data.split(":")
    return OnQuarantined(int(prediction_id), int(skipped), LabelTap(word))


def label_keyboard(texts: Texts, offer_id: int, last_id: int | None) -> Keyboard:
    """The labels, neither and skip; undo for the offer ``last_id``, where there is one."""
    rows = _label_rows(texts, f"{Kind.LABEL}:{offer_id}")
    return make_keyboard(rows if last_id is None else [*rows, _undo_row(texts, last_id)])


def undo_keyboard(texts: Texts, last_id: int) -> Keyboard:
    """Undo alone, for the offer ``last_id``."""
    return make_keyboard([_undo_row(texts, last_id)])


def settle_keyboard(texts: Texts, prediction_id: int, skipped: int) -> Keyboard:
    """The labels, neither and skip, for an admin who passed over ``skipped`` texts."""
    return make_keyboard(_label_rows(texts, f"{Kind.SETTLE}:{prediction_id}:{skipped}"))


def _label_rows(texts: Texts, about: str) -> list[list[dict[str, str]]]:
    labels = [(texts.button_positive, LabelTap.POSITIVE), (texts.button_negative, LabelTap.NEGATIVE)]
    others = [(texts.button_neither, LabelTap.NEITHER), (texts.button_skip, LabelTap.SKIP)]
    return [[make_button(label, f"{about}:{word}") for label, word in row] for row in (labels, others)]


def _undo_row(texts: Texts, last_id: int) -> list[dict[str, str]]:
    return [make_button(texts.button_undo_last, f"{Kind.LABEL}:{last_id}:{LabelTap.UNDO}")]
