"""The buttons under a text that needs a label, for labellers and for admins who resolve disputes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.buttons import NUMBER, Keyboard, TapKind, make_button, make_keyboard
from bot.texts import Texts


class LabelAction(StrEnum):
    """What a labeller can do: give the text a label, SKIP it, or UNDO the last answer."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    NEITHER = "neither"
    SKIP = "skip"
    UNDO = "undo"


# The quarantine has no undo button. To change a decision, an admin votes on the text again.
_QUARANTINE_ACTIONS: Final = [action for action in LabelAction if action is not LabelAction.UNDO]
LABEL_PATTERN: Final = rf"^{TapKind.LABEL}:{NUMBER}:({'|'.join(LabelAction)})\Z"
QUARANTINE_PATTERN: Final = rf"^{TapKind.QUARANTINE}:{NUMBER}:[0-9]{{1,6}}:({'|'.join(_QUARANTINE_ACTIONS)})\Z"


@dataclass(frozen=True, slots=True)
class OfferTap:
    """A tap under a text that was offered to a labeller."""

    offer_id: int
    action: LabelAction


@dataclass(frozen=True, slots=True)
class QuarantineTap:
    """A tap under a quarantined text. Its action is never UNDO. ``skipped`` is the number of texts skipped so far."""

    prediction_id: int
    skipped: int
    action: LabelAction


def parse_offer_tap(data: str) -> OfferTap:
    """Parse data that matches LABEL_PATTERN."""
    _, offer_id, action = data.split(":")
    return OfferTap(int(offer_id), LabelAction(action))


def parse_quarantine_tap(data: str) -> QuarantineTap:
    """Parse data that matches QUARANTINE_PATTERN."""
    _, prediction_id, skipped, action = data.split(":")
    return QuarantineTap(int(prediction_id), int(skipped), LabelAction(action))


def label_keyboard(texts: Texts, offer_id: int, last_id: int | None) -> Keyboard:
    """Return buttons for the labels, Neither and Skip, and a button that undoes ``last_id``, if given."""
    rows = _label_rows(texts, f"{TapKind.LABEL}:{offer_id}")
    return make_keyboard(rows if last_id is None else [*rows, _undo_row(texts, last_id)])


def undo_keyboard(texts: Texts, last_id: int) -> Keyboard:
    """Return a single button, which undoes the offer ``last_id``."""
    return make_keyboard([_undo_row(texts, last_id)])


def quarantine_keyboard(texts: Texts, prediction_id: int, skipped: int) -> Keyboard:
    """Return buttons for the labels, Neither and Skip.

    ``skipped`` is the number of texts that the admin has skipped.
    """
    return make_keyboard(_label_rows(texts, f"{TapKind.QUARANTINE}:{prediction_id}:{skipped}"))


def _label_rows(texts: Texts, prefix: str) -> list[list[dict[str, str]]]:
    labels = [(texts.button_positive, LabelAction.POSITIVE), (texts.button_negative, LabelAction.NEGATIVE)]
    others = [(texts.button_neither, LabelAction.NEITHER), (texts.button_skip, LabelAction.SKIP)]
    return [[make_button(label, f"{prefix}:{action}") for label, action in row] for row in (labels, others)]


def _undo_row(texts: Texts, last_id: int) -> list[dict[str, str]]:
    return [make_button(texts.button_undo_last, f"{TapKind.LABEL}:{last_id}:{LabelAction.UNDO}")]
