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


LABEL_PATTERN: Final = rf"^{TapKind.LABEL}:{NUMBER}:({'|'.join(LabelAction)})\Z"
QUARANTINE_PATTERN: Final = rf"^{TapKind.QUARANTINE}:{NUMBER}:[0-9]{{1,6}}:({'|'.join(LabelAction)})\Z"


@dataclass(frozen=True, slots=True)
class OfferTap:
    """A tap under a text that was offered to a labeller."""

    offer_id: int
    action: LabelAction


@dataclass(frozen=True, slots=True)
class QuarantineTap:
    """A tap under a quarantined text. ``skipped`` is the number of texts skipped so far.

    ``prediction_id`` is the prediction for the text, or for UNDO, the one that the admin has just decided on.
    """

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
    return make_keyboard(rows if last_id is None else [*rows, _undo_row(texts, f"{TapKind.LABEL}:{last_id}")])


def undo_keyboard(texts: Texts, last_id: int) -> Keyboard:
    """Return a single button, which undoes the offer ``last_id``."""
    return make_keyboard([_undo_row(texts, f"{TapKind.LABEL}:{last_id}")])


def quarantine_keyboard(texts: Texts, prediction_id: int, skipped: int, decided: int | None) -> Keyboard:
    """Return buttons for the labels, Neither and Skip, and one that takes back a decision, if there is one.

    ``skipped`` is the number of texts that the admin has skipped, and ``decided`` the prediction that was just decided
    on.
    """
    rows = _label_rows(texts, f"{TapKind.QUARANTINE}:{prediction_id}:{skipped}")
    return make_keyboard(rows if decided is None else [*rows, _quarantine_undo_row(texts, decided, skipped)])


def quarantine_undo_keyboard(texts: Texts, decided: int, skipped: int) -> Keyboard:
    """Return a single button, which takes back the decision on the prediction ``decided``."""
    return make_keyboard([_quarantine_undo_row(texts, decided, skipped)])


def _label_rows(texts: Texts, prefix: str) -> list[list[dict[str, str]]]:
    labels = [(texts.button_positive, LabelAction.POSITIVE), (texts.button_negative, LabelAction.NEGATIVE)]
    others = [(texts.button_neither, LabelAction.NEITHER), (texts.button_skip, LabelAction.SKIP)]
    return [[make_button(label, f"{prefix}:{action}") for label, action in row] for row in (labels, others)]


def _quarantine_undo_row(texts: Texts, decided: int, skipped: int) -> list[dict[str, str]]:
    return _undo_row(texts, f"{TapKind.QUARANTINE}:{decided}:{skipped}")


def _undo_row(texts: Texts, prefix: str) -> list[dict[str, str]]:
    return [make_button(texts.button_undo_last, f"{prefix}:{LabelAction.UNDO}")]
