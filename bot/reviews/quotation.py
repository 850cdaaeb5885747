"""Chooses which part of a person's messages a reply quotes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ml.explanation.words import Span
from storage.chat.messages import MessagePart

LENGTH: Final = 1_024
"""Telegram's limit for a quote. It is applied to UTF-16 code units here, the strictest way to count characters."""
# Number of characters to show before the strongest word, if a passage is too long to be quoted as a whole.
_BEFORE: Final = 256


@dataclass(frozen=True, slots=True)
class Quotation:
    """An exact excerpt from one Telegram message.

    ``span`` is its range in the whole text, and ``position`` is its offset in the message in UTF-16 code units.
    """

    telegram_message_id: int
    text: str
    position: int
    span: Span


def quote(parts: Sequence[MessagePart], passage: Span, focus: Span | None) -> Quotation:
    """Return the part of ``passage`` to quote, including ``focus`` if that is in the passage's longest part.

    ``passage`` and ``focus`` are spans of the text that results from joining ``parts`` with newlines. If the passage
    spans several messages, quote the message that contains most of it. Shorten passages that are too long.
    """
    whole = "\n".join(part.text for part in parts)
    part, place = max(zip(parts, _places(parts), strict=True), key=lambda each: _overlap(each[1], passage))
    span = Span(max(place.start, passage.start), min(place.end, passage.end))
    span = _stripped(whole, _shortened(whole, span, focus))
    position = utf16_length(whole[place.start : span.start])
    return Quotation(part.telegram_message_id, span.of(whole), position, span)


def utf16_length(text: str) -> int:
    """Return the number of UTF-16 code units in ``text``."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _places(parts: Sequence[MessagePart]) -> list[Span]:
    places, start = [], 0
    for part in parts:
        places.append(Span(start, start + len(part.text)))
        start += len(part.text) + 1
    return places


def _overlap(one: Span, other: Span) -> int:
    return min(one.end, other.end) - max(one.start, other.start)


def _shortened(text: str, span: Span, focus: Span | None) -> Span:
    """Shorten ``span`` to ``LENGTH``, keeping ``focus`` in it and cutting at whitespace if possible."""
    if utf16_length(span.of(text)) <= LENGTH:
        return span
    start = span.start
    if focus is not None and span.start + _BEFORE < focus.start < span.end:
        start = focus.start - _BEFORE
        start = next((at + 1 for at in range(start, focus.start) if text[at].isspace()), start)
    end, units = start, 0
    while end < span.end and (units := units + utf16_length(text[end])) <= LENGTH:
        end += 1
    if end < span.end:
        least = max(start + 1, focus.end if focus is not None and start <= focus.start else 0)
        end = next((at for at in range(end, least, -1) if text[at].isspace()), end)
    return Span(start, end)


def _stripped(text: str, span: Span) -> Span:
    shown = span.of(text)
    start = span.start + len(shown) - len(shown.lstrip())
    return Span(start, start + len(shown.strip()))
