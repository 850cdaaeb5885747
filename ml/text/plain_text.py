"""Classifies a message's content before a model reads it: words, only links, only emoji, or nothing."""

import re
import unicodedata
from enum import Enum

# Every alternative is anchored at its start, so that a long run of letters is scanned once, not once per letter.
_LINK = re.compile(
    r"""
    (?<![\w+.-]) [a-z][\w+.-]* :// \S+                                        # https://example.org/a
    | (?<![\w+.-]) [\w+.-]+ @ [\w-]+ (?:\.[\w-]+)+                            # someone@example.org
    | (?<![\w.@-]) www\.\S+
    | (?<![\w.@-]) [\w-]+ (?:\.[\w-]+)* \. (?:com|net|org) \b (?:[/?\#:]\S*)?  # example.org/a
    | (?<![\w.@-]) [\w-]+ (?:\.[\w-]+)* \. [a-z]{2,6} / \S+                   # t.me/someone
    | (?<!\w) @ \w{2,}                                                        # @someone
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MARKUP = re.compile(r"</?[a-z][^<>]{0,60}>|&(?:[a-z]{2,8}|\#\d{1,7});", re.IGNORECASE)
_JOINERS = "'\u2019-"
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
# Characters that Unicode classifies as letters or symbols but that are blank: Hangul fillers and the empty Braille
# cell.
_INVISIBLE = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0\u2800"), " ")


class Content(Enum):
    """Kinds of content, from most to least readable. A text of one kind can also contain the kinds listed below it."""

    WORDS = "words"
    LINK = "link"
    EMOJI = "emoji"
    EMPTY = "empty"


def classify_content(text: str) -> Content:
    """Return the first of WORDS, LINK (including @names) and EMOJI that ``text`` contains, or EMPTY if there is none.

    White space, invisible characters, punctuation and HTML tags are ignored. Hashtags and numbers count as words,
    because ``10/10`` is a review.
    """
    unlinked = strip_links(text)
    remainder = _KEYCAP.sub(" ", unlinked)
    if any(character.isalnum() for character in remainder):
        return Content.WORDS
    if _LINK.search(text):
        return Content.LINK
    if remainder != unlinked or any(map(_is_emoji, remainder)):
        return Content.EMOJI
    return Content.EMPTY


def plain_words(text: str) -> list[str]:
    """Split ``text`` into words of letters, accents, apostrophes and hyphens. Drop digits, links and tags."""
    letters = (character if _is_word_character(character) else " " for character in strip_links(text))
    return [word for word in "".join(letters).split() if any(map(str.isalpha, word))]


def strip_links(text: str) -> str:
    """Return ``text`` in Unicode form NFC, with links, @names, HTML tags and invisible letters replaced by spaces."""
    return _LINK.sub(" ", _MARKUP.sub(" ", unicodedata.normalize("NFC", text).translate(_INVISIBLE)))


def blank_links(text: str) -> str:
    """Return ``text`` with each character of links, @names and HTML tags replaced by a space.

    The positions of all other characters stay the same.
    """
    return _LINK.sub(_blank, _MARKUP.sub(_blank, text))


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _is_word_character(character: str) -> bool:
    return character.isalpha() or character in _JOINERS or unicodedata.category(character).startswith("M")


def _is_emoji(character: str) -> bool:
    # The range includes emoji that are newer than this Python's Unicode tables.
    return unicodedata.category(character) == "So" or "\U0001f000" <= character <= "\U0001faff"
