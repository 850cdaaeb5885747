"""All callback data that the bot's buttons send, and mutations that somebody could forge."""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from bot.admin import buttons as admin
from bot.admin.buttons import CardAction
from bot.buttons import Keyboard, TapKind
from bot.labelling import buttons as labelling
from bot.labelling.buttons import Batch
from bot.privacy import buttons as privacy
from bot.privacy import history_buttons as history
from bot.privacy.settings import SETTINGS_PATTERN, Setting, settings_keyboard
from bot.reviews import buttons as reviews
from bot.texts import texts_for
from storage.chat.history import HistoryEntry, HistoryPage
from storage.chat.messages import MessagePart, StoredMessage
from storage.db.states import Vote

_TEXTS: Final = texts_for("en")
_HUGE: Final = (0, 2**31, 2**53, 10**17, 10**18 - 1, 10**18, 2**63 - 1, 2**63, 10**40)
# A person's own choices about their own data. Forging such a tap is the same as tapping the button.
_OWN_CHOICES: Final = re.compile(
    "|".join(
        (
            privacy.CONSENT_PATTERN,
            privacy.NOTICES_PATTERN,
            privacy.DELETE_PATTERN,
            SETTINGS_PATTERN,
            labelling.JOIN_PATTERN,
        )
    )
)


def admin_taps(number: int, versions: tuple[str, str], person: int) -> list[str]:
    """Return the data of all buttons that only admins see, for one run, prediction, pair of models and person."""
    keyboards = [admin.run_keyboard(_TEXTS, number, asking) for asking in (True, False)]
    keyboards += [admin.card_keyboard(number, [("x", action)]) for action in CardAction]
    keyboards += [admin.models_keyboard(_TEXTS, versions[0], [versions[1]], [])]
    keyboards += [admin.model_change_keyboard(_TEXTS, versions[1], versions[0])]
    keyboards += [admin.voters_keyboard(_TEXTS, one, 1, 3) or {} for one in (0, person)]
    keyboards += [labelling.quarantine_keyboard(_TEXTS, number, 0, number)]
    return _data(keyboards)


def public_taps(number: int) -> list[str]:
    """Return the data of all buttons that anybody may see, for the prediction, message and offer ``number``."""
    message = StoredMessage(number, 1, 7, (MessagePart(1, "x"),), number)
    page = HistoryPage((HistoryEntry(message, datetime.now(UTC)),), has_newer=True, has_older=True)
    rows = [*reviews.reason_rows(_TEXTS, number, Vote.WRONG), *reviews.reason_rows(_TEXTS, number, Vote.NEITHER)]
    rows += [reviews.question_row(_TEXTS, number), reviews.people_row(_TEXTS, number)]
    return _data([
        reviews.verdict_keyboard(_TEXTS, number, Vote.RIGHT, rows),
        reviews.corrected_keyboard(_TEXTS, number, Vote.RIGHT),
        reviews.abstention_keyboard(_TEXTS, number),
        labelling.label_keyboard(_TEXTS, number, number),
        labelling.undo_keyboard(_TEXTS, number, Batch(20, 20)),
        labelling.join_keyboard(_TEXTS, Batch(20)),
        *(privacy.consent_keyboard(_TEXTS, granted=granted) for granted in (True, False)),
        *(privacy.notices_keyboard(_TEXTS, wanted=wanted) for wanted in (True, False)),
        privacy.delete_keyboard(_TEXTS),
        *(settings_keyboard(_TEXTS, dict.fromkeys(Setting, chosen)) for chosen in (True, False)),
        history.page_keyboard(_TEXTS, page) or {},
        history.question_keyboard(_TEXTS, number),
    ])  # fmt: skip


@cache
def every_tap() -> tuple[str, ...]:
    """Return the data of all buttons, for rows with small ids."""
    return tuple(
        data for number in (1, 2, 3) for data in (*public_taps(number), *admin_taps(number, ("v-1", "v-2"), 7))
    )


def kinds_of(taps: Sequence[str]) -> set[TapKind]:
    """Return the kinds of these taps."""
    return {TapKind(data.partition(":")[0]) for data in taps}


def mutations(count: int, seed: int) -> Iterator[str]:
    """Yield ``count`` mutations of all callback data, except for choices that people make about their own data."""
    rng, found = random.Random(seed), 0
    while found < count:
        mutated = rng.choice(_MUTATORS)(rng, rng.choice(every_tap()))
        if not _OWN_CHOICES.match(mutated):
            found += 1
            yield mutated


def _flip_bit(rng: random.Random, data: str) -> str:
    raw = bytearray(data.encode())
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    return raw.decode(errors="replace")


def _truncate(rng: random.Random, data: str) -> str:
    return data[: rng.randrange(len(data))]


def _other_id(rng: random.Random, data: str) -> str:
    return re.sub("[0-9]+", lambda _: str(rng.randrange(12)), data, count=rng.randint(1, 2))


def _huge_number(rng: random.Random, data: str) -> str:
    return re.sub("[0-9]+", lambda _: rng.choice(["", "-"]) + str(rng.choice(_HUGE)), data, count=1)


def _unicode(rng: random.Random, data: str) -> str:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(["١", "３", "é", "\u202e", "\U0001f44d", "\x00", "\n", "K", "ſ"]) + data[at:]


def _other_word(rng: random.Random, data: str) -> str:
    words, others = data.split(":"), rng.choice(every_tap()).split(":")
    words[rng.randrange(len(words))] = rng.choice(others)
    return ":".join(words)


def _repeat(rng: random.Random, data: str) -> str:
    return data[: rng.randrange(1, len(data))] + data


_MUTATORS: Final[tuple[Callable[[random.Random, str], str], ...]] = (
    _flip_bit, _flip_bit, _truncate, _other_id, _huge_number, _unicode, _other_word, _repeat,
)  # fmt: skip


def _data(keyboards: list[Keyboard]) -> list[str]:
    rows: list[list[dict[str, Any]]] = [row for keyboard in keyboards for row in keyboard.get("inline_keyboard", [])]
    return [button["callback_data"] for row in rows for button in row]
