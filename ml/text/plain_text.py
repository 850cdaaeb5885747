"""What a message holds before a model sees it: words, only links, only emoji, or nothing to read."""

import re
import unicodedata
from enum import Enum

# Each alternative is anchored at its start, so that a long run of letters is scanned once and not once a letter.
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
# Unicode files these under letters and symbols, yet they draw nothing: Hangul fillers and the empty Braille cell.
_INVISIBLE = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0\u2800"), " ")


class Content(Enum):
    """The most that a text holds; each kind may come with those below it."""

    WORDS = "words"
    LINK = "link"
    EMOJI = "emoji"
    EMPTY = "empty"


def classify_content(text: str) -> Content:
    """Tell what ``text`` holds: letters or digits, else a link or an @name, else emoji, else nothing to read.

    Nothing to read is white space, characters that draw nothing, punctuation and HTML tags. A hashtag is a word,
    and so is a number, since ``10/10`` is a review.
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
    """Split ``text`` into words: letters, accents, apostrophes and hyphens, without digits, links and tags."""
    letters = (character if _is_word_character(character) else " " for character in strip_links(text))
    return [word for word in "".join(letters).split() if any(map(str.isalpha, word))]


def strip_links(text: str) -> str:
    """``text`` in Unicode form NFC with links, @names, HTML tags and invisible letters replaced by spaces."""
    return _LINK.sub(" ", _MARKUP.sub(" ", unicodedata.normalize("NFC", text).translate(_INVISIBLE)))


def _is_word_character(character: str) -> bool:
    return character.isalpha() or character in _JOINERS or unicodedata.category(character).startswith("M")


def _is_emoji(character: str) -> bool:
    # The range holds emoji that are younger than this Python's Unicode tables.
    return unicodedata.category(character) == "So" or "\U0001f000" <= character <= "\U0001faff"
