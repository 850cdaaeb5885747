"""The buttons under a text that needs a label: for labellers, and for admins who look at disputed texts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.buttons import NUMBER, Keyboard, TapKind, make_button, make_keyboard
from bot.texts import Texts


class LabelAction(StrEnum):
    """What a labeller says of a text; SKIP says nothing, and UNDO takes the last answer back."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    NEITHER = "neither"
    SKIP = "skip"
    UNDO = "undo"


# An admin's word stands until the admin judges the text again.
_SETTLING: Final = [tap for tap in LabelAction if tap is not LabelAction.UNDO]
LABEL_PATTERN: Final = rf"^{TapKind.LABEL}:{NUMBER}:({'|'.join(LabelAction)})\Z"
SETTLE_PATTERN: Final = rf"^{TapKind.SETTLE}:{NUMBER}:[0-9]{{1,6}}:({'|'.join(_SETTLING)})\Z"


@dataclass(frozen=True, slots=True)
class OfferTap:
    """A tap under a text that was offered for a label."""

    offer_id: int
    action: LabelAction


@dataclass(frozen=True, slots=True)
class QuarantineTap:
    """A tap under a text that an admin looks at, after so many that were ``skipped``; never UNDO."""

    prediction_id: int
    skipped: int
    action: LabelAction


def parse_offer_tap(data: str) -> OfferTap:
    """Read data that matches LABEL_PATTERN."""
    _, offer_id, word = data.split(":")
    return OfferTap(int(offer_id), LabelAction(word))


def parse_quarantine_tap(data: str) -> QuarantineTap:
    """Read data that matches SETTLE_PATTERN."""
    _, prediction_id, skipped, word = data.split(":")
    return QuarantineTap(int(prediction_id), int(skipped), LabelAction(word))


def label_keyboard(texts: Texts, offer_id: int, last_id: int | None) -> Keyboard:
    """The labels, neither and skip; undo for the offer ``last_id``, where there is one."""
    rows = _label_rows(texts, f"{TapKind.LABEL}:{offer_id}")
    return make_keyboard(rows if last_id is None else [*rows, _undo_row(texts, last_id)])


def undo_keyboard(texts: Texts, last_id: int) -> Keyboard:
    """Undo alone, for the offer ``last_id``."""
    return make_keyboard([_undo_row(texts, last_id)])


def quarantine_keyboard(texts: Texts, prediction_id: int, skipped: int) -> Keyboard:
    """The labels, neither and skip, for an admin who passed over ``skipped`` texts."""
    return make_keyboard(_label_rows(texts, f"{TapKind.SETTLE}:{prediction_id}:{skipped}"))


def _label_rows(texts: Texts, about: str) -> list[list[dict[str, str]]]:
    labels = [(texts.button_positive, LabelAction.POSITIVE), (texts.button_negative, LabelAction.NEGATIVE)]
    others = [(texts.button_neither, LabelAction.NEITHER), (texts.button_skip, LabelAction.SKIP)]
    return [[make_button(label, f"{about}:{word}") for label, word in row] for row in (labels, others)]


def _undo_row(texts: Texts, last_id: int) -> list[dict[str, str]]:
    return [make_button(texts.button_undo_last, f"{TapKind.LABEL}:{last_id}:{LabelAction.UNDO}")]
