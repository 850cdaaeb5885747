"""Parses Telegram's older Markdown, in which entities cannot nest, and raises the same errors as Telegram."""

from playground.text.entities import Entity, FormattedText, utf16_length
from playground.text.markup import EntityKind, MarkupError, byte_offset, link_kind, skip_language

_MARKS = {"_": "italic", "*": "bold", "`": "code", "[": "text_link"}


def parse_markdown(source: str) -> FormattedText:
    """Parse ``source``, or raise MarkupError."""
    text, entities, position = "", [], 0
    while position < len(source):
        character = source[position]
        if character == "\\" and source[position + 1 : position + 2] in (*_MARKS,):
            text += source[position + 1]
            position += 2
        elif character in _MARKS:
            content, kind, position = _read_entity(source, position)
            if kind is not None and content:
                entities.append(Entity(kind[0], utf16_length(text), utf16_length(content), kind[1]))
            text += content
        else:
            text += character
            position += 1
    return FormattedText(text, tuple(entities))


def _read_entity(source: str, start: int) -> tuple[str, EntityKind | None, int]:
    """Return the text and kind of the entity at ``start`` and the position after it, or raise MarkupError."""
    mark = "```" if source.startswith("```", start) else source[start]
    language, begin = skip_language(source, start + 3) if mark == "```" else ("", start + 1)
    end = source.find("]" if mark == "[" else mark, begin)
    if end < 0:
        raise MarkupError(f"Can't find end of the entity starting at byte offset {byte_offset(source, start)}")
    content, after = source[begin:end], end + len(mark)
    if mark == "```":
        return content, ("pre", {"language": language} if language else {}), after
    if mark != "[":
        return content, (_MARKS[mark], {}), after
    if not source.startswith("(", after):
        return content, link_kind(content), after
    close = source.find(")", after)
    # If the closing parenthesis is missing, Telegram reads the address up to the end of the text.
    close = len(source) if close < 0 else close
    return content, link_kind(source[after + 1 : close]), close + 1
