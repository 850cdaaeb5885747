"""Functions shared by all kinds of markup, for errors, links, mentions of people, custom emoji and dates."""

import re
from urllib.parse import parse_qs, urlsplit

EntityKind = tuple[str, dict[str, object]]
"""An entity's type, and its fields other than offset and length."""

_LANGUAGE = re.compile(r"[^ \t\r\n\v\0`]+")
_LINE_BREAK = re.compile(r"\r\n|\n\r|\r|\n")
_DATE_FORMAT = re.compile(r"r|[wdDtT]*")


class MarkupError(Exception):
    """Raised for invalid markup. The message is the rest of Telegram's description after "can't parse entities: "."""


def byte_offset(source: str, position: int) -> int:
    """Return the UTF-8 byte offset of a character in ``source``, for use in errors."""
    return len(source[:position].encode())


def link_kind(url: str) -> EntityKind | None:
    """Return the entity for a link (a mention if it links to a person), or None if the address is unusable."""
    address = url.strip()
    if mention := re.fullmatch(r"tg:(?://)?user/?\?id=(\d{1,15})", address, re.IGNORECASE):
        return "text_mention", {"user": {"id": int(mention[1])}}
    if re.match(r"(https?|tg|tonsite)://[^\s]+", address):
        return "text_link", {"url": address}
    return ("text_link", {"url": f"http://{address}/"}) if re.fullmatch(r"[\w-]+(\.[\w-]+)+", address) else None


def special_kind(url: str) -> EntityKind:
    """Return the entity for the address of a custom emoji or a date, or raise MarkupError."""
    parts = urlsplit(re.sub(r"^tg:(?!//)", "tg://", url.strip(), flags=re.IGNORECASE))
    values = {name: found[-1] for name, found in parse_qs(parts.query).items()}
    if parts.scheme == "tg" and (parts.hostname, "id" in values) == ("emoji", True):
        return emoji_kind(values["id"])
    if parts.scheme == "tg" and (parts.hostname, "unix" in values) == ("time", True):
        return date_kind(values["unix"], values.get("format", ""))
    raise MarkupError("Invalid tg://emoji or tg://time URL specified")


def emoji_kind(emoji_id: str) -> EntityKind:
    """Return the entity for a custom emoji, or raise MarkupError."""
    if not re.fullmatch(r"[1-9]\d{0,19}", emoji_id):
        raise MarkupError("Invalid custom emoji identifier specified")
    return "custom_emoji", {"custom_emoji_id": emoji_id}


def date_kind(unix_time: str, date_format: str) -> EntityKind:
    """Return the entity for a date that apps show in the reader's time zone, or raise MarkupError."""
    if not re.fullmatch(r"[1-9]\d{0,9}", unix_time):
        raise MarkupError("Invalid Unix time specified")
    return "date_time", {"unix_time": int(unix_time), "date_time_format": ordered_date_format(date_format)}


def ordered_date_format(date_format: str) -> str:
    """Return the letters for weekday, date and time in Telegram's order, or raise MarkupError for any other letter."""
    if not _DATE_FORMAT.fullmatch(date_format):
        raise MarkupError("Invalid date format used")
    if date_format == "r":
        return "r"
    chosen = {letter.lower(): letter for letter in date_format}
    return "".join(chosen[letter] for letter in "wdt" if letter in chosen)


def skip_language(source: str, position: int) -> tuple[str, int]:
    """Return the language of a code block and the position of its code, after at most one line break."""
    word = _LANGUAGE.match(source, position)
    language = word.group() if word and source[word.end() : word.end() + 1] not in ("", "`") else ""
    position += len(language)
    line_break = _LINE_BREAK.match(source, position)
    return language, line_break.end() if line_break else position
