"""How Telegram's apps cut a text that is too long for one message."""

import re

from playground.text.entities import utf16_length

MESSAGE_LIMIT = 4096

# Best first: a blank line, the end of a line, the end of a sentence, a space. The cut is after the match.
_BOUNDARIES = tuple(re.compile(pattern) for pattern in (r"\n[^\S\n]*\n", r"\n", r"[.!?…]+[^\w\s]*\s", r"\s"))


def split_like_apps(text: str, limit: int = MESSAGE_LIMIT) -> list[str]:
    """The messages, in order, that an app sends for ``text``: trimmed, none empty, none over ``limit``.

    Lengths are UTF-16 code units, as the apps count. A part ends after the last boundary of the best sort in its
    second half, at latest at ``limit``, and never inside a character.
    """
    parts = []
    rest = text.strip()
    while utf16_length(rest) > limit:
        cut = _cut(rest, limit)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest else parts


def _cut(text: str, limit: int) -> int:
    longest = _characters_within(text, limit)
    window = text[:longest]
    for boundary in _BOUNDARIES:
        ends = [match.end() for match in boundary.finditer(window, longest // 2)]
        if ends:
            return ends[-1]
    return longest


def _characters_within(text: str, limit: int) -> int:
    """How many characters of ``text`` fit into ``limit`` code units, at least one."""
    used = 0
    for count, character in enumerate(text):
        used += utf16_length(character)
        if used > limit:
            return max(count, 1)
    return len(text)
