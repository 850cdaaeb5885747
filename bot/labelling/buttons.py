"""The buttons for labelling a text, for labellers and for admins who resolve disputes."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from bot.buttons import NUMBER, ButtonStyle, Keyboard, TapKind, make_button, make_keyboard
from bot.texts import CONSENT_WORDING, CONSENT_WORDINGS, Texts, fill


class LabelAction(StrEnum):
    """A labeller's action: give the text a label, SKIP it, UNDO the last answer, ask for MORE texts, or STOP."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    NEITHER = "neither"
    SKIP = "skip"
    UNDO = "undo"
    MORE = "more"
    STOP = "stop"


# Maximum number of texts in a batch.
MAX_BATCH: Final = 100
_COUNT: Final = "[0-9]{1,3}"
LABEL_PATTERN: Final = rf"^{TapKind.LABEL}:{NUMBER}:({'|'.join(LabelAction)})(:{_COUNT}:{_COUNT})?\Z"
JOIN_PATTERN: Final = rf"^{TapKind.JOIN}:({'|'.join(map(re.escape, CONSENT_WORDINGS))}):{_COUNT}\Z"
QUARANTINE_PATTERN: Final = rf"^{TapKind.QUARANTINE}:{NUMBER}:[0-9]{{1,6}}:({'|'.join(LabelAction)})\Z"


@dataclass(frozen=True, slots=True)
class Batch:
    """How many texts a labeller wants to label, and how many they have answered."""

    size: int
    done: int = 0

    @property
    def finished(self) -> bool:
        """Whether every text in the batch has an answer."""
        return self.done >= self.size

    def answered(self, count: int) -> "Batch":
        """Return the batch after ``count`` more answers, or fewer if ``count`` is negative."""
        return replace(self, done=min(max(self.done + count, 0), self.size))


@dataclass(frozen=True, slots=True)
class OfferTap:
    """A tap under a text offered to a labeller, either as part of a batch or in open-ended labelling."""

    offer_id: int
    action: LabelAction
    batch: Batch | None = None


@dataclass(frozen=True, slots=True)
class JoinTap:
    """A tap that gives consent in ``/label``, with the version of the wording that was shown."""

    wording: str
    batch: Batch | None


@dataclass(frozen=True, slots=True)
class QuarantineTap:
    """A tap under a quarantined text. ``skipped`` is the number of texts skipped so far.

    ``prediction_id`` identifies the text's prediction or, for UNDO, the prediction that the admin has just decided on.
    """

    prediction_id: int
    skipped: int
    action: LabelAction


def parse_offer_tap(data: str) -> OfferTap:
    """Parse data that matches LABEL_PATTERN."""
    _, offer_id, action, *counts = data.split(":")
    return OfferTap(int(offer_id), LabelAction(action), Batch(*map(int, counts)) if counts else None)


def parse_join_tap(data: str) -> JoinTap:
    """Parse data that matches JOIN_PATTERN."""
    _, wording, size = data.split(":")
    return JoinTap(wording, Batch(int(size)) if int(size) else None)


def parse_quarantine_tap(data: str) -> QuarantineTap:
    """Parse data that matches QUARANTINE_PATTERN."""
    _, prediction_id, skipped, action = data.split(":")
    return QuarantineTap(int(prediction_id), int(skipped), LabelAction(action))


def label_keyboard(texts: Texts, offer_id: int, last_id: int | None, batch: Batch | None = None) -> Keyboard:
    """Return buttons for the labels, Neither, Skip and Stop, and one to undo the answer to ``last_id``, if given."""
    prefix, suffix = f"{TapKind.LABEL}:{offer_id}", _suffix(batch)
    stop = make_button(texts.button_no, f"{prefix}:{LabelAction.STOP}{suffix}")
    rows = [*_label_rows(texts, prefix, suffix), [stop]]
    return make_keyboard(rows if last_id is None else [*rows, _undo_offer_row(texts, last_id, batch)])


def undo_keyboard(texts: Texts, last_id: int, batch: Batch | None = None) -> Keyboard:
    """Return a button that undoes the answer to the offer ``last_id`` and, after a batch, one that starts another."""
    more = []
    if batch is not None and batch.finished:
        data = f"{TapKind.LABEL}:{last_id}:{LabelAction.MORE}{_suffix(Batch(batch.size))}"
        more = [[make_button(fill(texts.button_label_more, size=batch.size), data)]]
    return make_keyboard([*more, _undo_offer_row(texts, last_id, batch)])


def join_keyboard(texts: Texts, batch: Batch | None) -> Keyboard:
    """Return the buttons that give consent and start labelling, or refuse consent."""
    size = 0 if batch is None else batch.size
    yes = make_button(texts.button_consent_yes, f"{TapKind.JOIN}:{CONSENT_WORDING}:{size}", ButtonStyle.PRIMARY)
    return make_keyboard([[yes, make_button(texts.button_no, f"{TapKind.CONSENT}:{CONSENT_WORDING}:no")]])


def quarantine_keyboard(texts: Texts, prediction_id: int, skipped: int, decided: int | None) -> Keyboard:
    """Return buttons for the labels, Neither and Skip, and one that takes back the last decision, if any.

    ``skipped`` is the number of texts that the admin has skipped, and ``decided`` is the prediction that was decided
    last.
    """
    rows = _label_rows(texts, f"{TapKind.QUARANTINE}:{prediction_id}:{skipped}")
    return make_keyboard(rows if decided is None else [*rows, _quarantine_undo_row(texts, decided, skipped)])


def quarantine_undo_keyboard(texts: Texts, decided: int, skipped: int) -> Keyboard:
    """Return a single button that takes back the decision on the prediction ``decided``."""
    return make_keyboard([_quarantine_undo_row(texts, decided, skipped)])


def _label_rows(texts: Texts, prefix: str, suffix: str = "") -> list[list[dict[str, str]]]:
    labels = [(texts.button_positive, LabelAction.POSITIVE), (texts.button_negative, LabelAction.NEGATIVE)]
    others = [(texts.button_neither, LabelAction.NEITHER), (texts.button_skip, LabelAction.SKIP)]
    return [[make_button(label, f"{prefix}:{action}{suffix}") for label, action in row] for row in (labels, others)]


def _quarantine_undo_row(texts: Texts, decided: int, skipped: int) -> list[dict[str, str]]:
    return _undo_row(texts, f"{TapKind.QUARANTINE}:{decided}:{skipped}")


def _undo_offer_row(texts: Texts, last_id: int, batch: Batch | None) -> list[dict[str, str]]:
    return _undo_row(texts, f"{TapKind.LABEL}:{last_id}", _suffix(batch))


def _undo_row(texts: Texts, prefix: str, suffix: str = "") -> list[dict[str, str]]:
    return [make_button(texts.button_undo_last, f"{prefix}:{LabelAction.UNDO}{suffix}")]


def _suffix(batch: Batch | None) -> str:
    return "" if batch is None else f":{batch.size}:{batch.done}"
