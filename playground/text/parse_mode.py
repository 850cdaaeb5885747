"""From a text and its parse mode, as a bot gives them, to a formatted text within Telegram's limits."""

from playground.text.entities import Entity, FormattedText, in_order, utf16_length
from playground.text.html import BadMarkup, parse_html
from playground.wire import JsonObject, bad_request, not_built

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024


def message_text(text: str, parse_mode: str, entities: list[JsonObject]) -> FormattedText:
    """The text of a message: 1 to 4,096 characters after its markup is read. Raises ApiError 400."""
    body = _formatted(text, parse_mode, entities)
    if not body.text:
        raise bad_request("message text is empty")
    if len(body.text) > TEXT_LIMIT:
        raise bad_request("message is too long")
    return body


def caption_text(text: str, parse_mode: str, entities: list[JsonObject]) -> FormattedText:
    """The caption of a file: up to 1,024 characters, or none. Raises ApiError 400."""
    body = _formatted(text, parse_mode, entities)
    if len(body.text) > CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    return body


def _formatted(text: str, parse_mode: str, entities: list[JsonObject]) -> FormattedText:
    match parse_mode.lower():
        case "html":
            body = _from_html(text)
        case "":
            body = FormattedText(text, _given_entities(text, entities))
        case "markdown" | "markdownv2":
            raise not_built(f"reader for {parse_mode}; use HTML")
        case _:
            raise bad_request("unsupported parse_mode")
    return body.trimmed().with_found_entities()


def _from_html(source: str) -> FormattedText:
    try:
        return parse_html(source)
    except BadMarkup as error:
        raise bad_request(f"can't parse entities: {error}") from error


def _given_entities(text: str, entities: list[JsonObject]) -> tuple[Entity, ...]:
    end = utf16_length(text)
    given = []
    for values in entities:
        details = {name: value for name, value in values.items() if name not in ("type", "offset", "length")}
        entity = Entity(values["type"], values["offset"], values["length"], details)
        if entity.offset < 0 or entity.length <= 0 or entity.end > end:
            raise bad_request(f"entity {entity.type} of {entity.length} at {entity.offset} is outside of the text")
        given.append(entity)
    return in_order(given)
