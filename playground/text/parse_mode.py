"""Applies a bot's parse mode to a text and checks Telegram's limits."""

from collections.abc import Callable

from playground.text.entities import Entity, FormattedText, sort_entities, utf16_length
from playground.text.html import parse_html
from playground.text.markdown import parse_markdown
from playground.text.markdown_v2 import parse_markdown_v2
from playground.text.markup import MarkupError, ordered_date_format
from playground.text.quotes import QUOTE_LIMIT
from playground.wire import JsonObject, bad_request

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
QUOTE_INVALID = "QUOTE_TEXT_INVALID"
_PARSERS = {"html": parse_html, "markdown": parse_markdown, "markdownv2": parse_markdown_v2}


def message_text(text: str, parse_mode: str, entities: list[JsonObject]) -> FormattedText:
    """Return a message's text, or raise ApiError 400 unless it is 1 to 4,096 characters long, not counting markup."""
    body = _formatted(text, parse_mode, entities)
    if not body.text:
        raise bad_request("message text is empty")
    if len(body.text) > TEXT_LIMIT:
        raise bad_request("message is too long")
    return body


def caption_text(text: str, parse_mode: str, entities: list[JsonObject]) -> FormattedText:
    """Return a file's caption, or raise ApiError 400 if it is over 1,024 characters long, not counting markup."""
    body = _formatted(text, parse_mode, entities)
    if len(body.text) > CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    return body


def quote_text(text: str, parse_mode: str, entities: list[JsonObject]) -> FormattedText:
    """Return the quoted part of a message, or raise ApiError 400 if it exceeds 1,024 characters without markup."""
    quote = _formatted(text, parse_mode, entities)
    if len(quote.text) > QUOTE_LIMIT:
        raise bad_request(QUOTE_INVALID)
    return quote


def _formatted(text: str, parse_mode: str, entities: list[JsonObject]) -> FormattedText:
    match parse_mode.lower():
        case "":
            body = FormattedText(text, _check_entities(text, entities))
        case mode if mode in _PARSERS:
            body = _parse(_PARSERS[mode], text)
        case _:
            raise bad_request("unsupported parse_mode")
    return body.strip().with_detected_entities()


def _parse(parser: Callable[[str], FormattedText], source: str) -> FormattedText:
    try:
        return parser(source)
    except MarkupError as error:
        raise bad_request(f"can't parse entities: {error}") from error


def _check_entities(text: str, entities: list[JsonObject]) -> tuple[Entity, ...]:
    end = utf16_length(text)
    checked = []
    for values in entities:
        details = {name: value for name, value in values.items() if name not in ("type", "offset", "length")}
        if values["type"] == "date_time":
            details["date_time_format"] = _checked_date_format(values)
        entity = Entity(values["type"], values["offset"], values["length"], details)
        if entity.offset < 0 or entity.length <= 0 or entity.end > end:
            raise bad_request(f"entity {entity.type} of {entity.length} at {entity.offset} is outside of the text")
        checked.append(entity)
    return sort_entities(checked)


def _checked_date_format(values: JsonObject) -> str:
    if "unix_time" not in values:
        raise bad_request("can't parse MessageEntity: Can't find field \"unix_time\"")
    try:
        return ordered_date_format(values.get("date_time_format", ""))
    except MarkupError as error:
        raise bad_request("can't parse MessageEntity: Invalid date-time format specified") from error
