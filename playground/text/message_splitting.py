"""Splits texts that are too long for one message, the way Telegram's apps do."""

import re

from playground.text.entities import utf16_length

MESSAGE_LIMIT = 4096

# Best boundary first: a blank line, the end of a line, the end of a sentence, a space. Texts are split after the match.
_BOUNDARIES = tuple(re.compile(pattern) for pattern in (r"\n[^\S\n]*\n", r"\n", r"[.!?…]+[^\w\s]*\s", r"\s"))


def split_like_apps(text: str, limit: int = MESSAGE_LIMIT) -> list[str]:
    """Return the messages that an app sends for ``text``, in order. Messages are trimmed and never empty.

    Each message is at most ``limit`` UTF-16 code units long, because the apps count in these units. A message ends
    after the last boundary of the best kind in its second half. If that half has no boundary, the message ends at
    ``limit``, but never inside a character.
    """
    parts = []
    rest = text.strip()
    while utf16_length(rest) > limit:
        end = _end_of_part(rest, limit)
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*parts, rest] if rest else parts


def _end_of_part(text: str, limit: int) -> int:
    longest = _characters_within(text, limit)
    window = text[:longest]
    for boundary in _BOUNDARIES:
        ends = [match.end() for match in boundary.finditer(window, longest // 2)]
        if ends:
            return ends[-1]
    return longest


def _characters_within(text: str, limit: int) -> int:
    """Return how many characters of ``text`` fit into ``limit`` code units, or 1 if not even one fits."""
    used = 0
    for count, character in enumerate(text):
        used += utf16_length(character)
        if used > limit:
            return max(count, 1)
    return len(text)
