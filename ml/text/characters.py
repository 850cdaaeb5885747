"""Cleans the characters of a text before it is split into tokens."""

import html
import re
import unicodedata
from typing import Final, Literal

# How characters other than line breaks are read: unchanged, or with HTML entities decoded and the result normalised to
# Unicode form NFKC, which turns styled and fullwidth letters into plain letters.
CharacterForm = Literal["as_written", "entities_nfkc"]
NEW_MODELS_FORM: Final[CharacterForm] = "entities_nfkc"

# IMDB's reviews contain HTML line breaks. Chat messages do not.
LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
# Decode an entity only if it ends with a semicolon, because "good&not bad" does not contain the symbol for "not".
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)
# A lone surrogate, which a cut-off emoji leaves behind, has no UTF-8 form, so the tokenizer cannot encode it.
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean_characters(text: str, form: CharacterForm) -> str:
    """Return ``text`` as a model with this character form reads it. HTML line breaks become spaces."""
    encodable = _SURROGATE.sub("\ufffd", text)
    if form == "entities_nfkc":
        encodable = unicodedata.normalize("NFKC", _ENTITY.sub(lambda entity: html.unescape(entity[0]), encodable))
    return LINE_BREAK.sub(" ", encodable)
