"""Parses Telegram's HTML subset into a text with entities, and raises the same errors as Telegram.

Errors contain the UTF-8 byte offset of the invalid tag.
"""

import re
from dataclasses import dataclass

from playground.text.entities import Entity, FormattedText, sort_entities, utf16_length
from playground.text.markup import EntityKind, MarkupError, byte_offset, date_kind, link_kind

_TYPES = {
    "a": "text_link",
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
    "blockquote": "blockquote",
}
_REFERENCE = re.compile(r"&(?:#(?P<decimal>\d{1,8})|#x(?P<hex>[0-9a-fA-F]{1,8})|(?P<name>[a-zA-Z]+));?")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_TAG_NAME = re.compile(r"[^\s>]*")
_SPACE = re.compile(r"\s*")
_ATTRIBUTE_NAME = re.compile(r"[^\s=>]*")
_BARE_VALUE = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class _OpenTag:
    name: str
    attributes: dict[str, str]
    offset: int
    """Number of UTF-16 code units before the tag."""


def parse_html(source: str) -> FormattedText:
    """Parse ``source``, or raise MarkupError."""
    return _Parser(source).parse()


class _Parser:
    """Parses the source in one pass. The state is the text so far and the open tags."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.text: list[str] = []
        self.length = 0
        self.open: list[_OpenTag] = []
        self.entities: list[Entity] = []

    def parse(self) -> FormattedText:
        while self.position < len(self.source):
            if self.source.startswith("</", self.position):
                self._end_tag()
            elif self.source[self.position] == "<":
                self._start_tag()
            else:
                self._add(self._character())
        if self.open:
            raise MarkupError(f'Can\'t find end tag corresponding to start tag "{self.open[-1].name}"')
        return FormattedText("".join(self.text), sort_entities(self.entities))

    def _add(self, characters: str) -> None:
        self.text.append(characters)
        self.length += utf16_length(characters)

    def _character(self) -> str:
        """Consume one character or character reference. Unknown references are kept as text."""
        reference = _REFERENCE.match(self.source, self.position)
        character = _character_of(reference) if reference else None
        if reference and character is not None:
            self.position = reference.end()
            return character
        self.position += 1
        return self.source[self.position - 1]

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.source, self.position)
        if match is None:
            return ""
        self.position = match.end()
        return match.group()

    def _next_is(self, expected: str) -> bool:
        return self.source.startswith(expected, self.position)

    def _error_at(self, reason: str, tag_start: int, rest: str = "") -> MarkupError:
        return MarkupError(f"{reason} at byte offset {byte_offset(self.source, tag_start)}{rest}")

    def _start_tag(self) -> None:
        start = self.position
        self.position += 1
        name = self._take(_TAG_NAME).lower()
        if name not in _TYPES:
            raise self._error_at(f'Unsupported start tag "{name}"', start)
        attributes = self._attributes(name, start)
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise self._error_at('Tag "span" must have class "tg-spoiler"', start)
        if name == "tg-emoji" and not attributes.get("emoji-id", "").isdecimal():
            raise self._error_at("Invalid custom emoji identifier specified", start)
        self.open.append(_OpenTag(name, attributes, self.length))

    def _attributes(self, tag: str, start: int) -> dict[str, str]:
        """Consume everything up to and including the tag's ``>``."""
        attributes: dict[str, str] = {}
        while True:
            self._take(_SPACE)
            if self.position >= len(self.source):
                raise self._error_at("Unclosed start tag", start)
            if self._next_is(">"):
                self.position += 1
                return attributes
            name = self._take(_ATTRIBUTE_NAME).lower()
            if not name:
                raise self._error_at(f'Empty attribute name in the tag "{tag}"', start)
            attributes[name] = self._value(tag, name, start)

    def _value(self, tag: str, name: str, start: int) -> str:
        self._take(_SPACE)
        if not self._next_is("="):
            if name == "expandable":
                return ""
            raise self._error_at(f'Expected equal sign in declaration of an attribute of the tag "{tag}"', start)
        self.position += 1
        self._take(_SPACE)
        if not (self._next_is('"') or self._next_is("'")):
            value = self._take(_BARE_VALUE)
            if not value:
                raise self._error_at(f'Unexpected end of value of an attribute of the tag "{tag}"', start)
            return value
        return self._quoted(start)

    def _quoted(self, start: int) -> str:
        quote = self.source[self.position]
        self.position += 1
        value = []
        while not self._next_is(quote):
            if self.position >= len(self.source):
                raise self._error_at("Unclosed start tag", start)
            value.append(self._character())
        self.position += 1
        return "".join(value)

    def _end_tag(self) -> None:
        start = self.position
        if not self.open:
            raise self._error_at("Unexpected end tag", start)
        self.position += 2
        name = self._take(_TAG_NAME).lower()
        self._take(_SPACE)
        if not self._next_is(">"):
            raise self._error_at("Unclosed end tag", start)
        self.position += 1
        tag = self.open.pop()
        if name not in ("", tag.name):
            raise self._error_at("Unmatched end tag", start, f', expected "</{tag.name}>", found "</{name}>"')
        if self.length > tag.offset:
            self._close(tag)

    def _close(self, tag: _OpenTag) -> None:
        if tag.name == "code" and self.open and self.open[-1] == _OpenTag("pre", {}, tag.offset):
            # The inner tag contains the language, so pass it to the outer tag, which becomes the entity.
            self.open[-1] = _OpenTag("pre", tag.attributes, tag.offset)
            return
        kind = _entity_kind(tag, "".join(self.text))
        if kind is not None:
            self.entities.append(Entity(kind[0], tag.offset, self.length - tag.offset, kind[1]))


def _entity_kind(tag: _OpenTag, text: str) -> EntityKind | None:
    """Return the tag's entity, or None for a link without a usable address, or raise MarkupError."""
    language = tag.attributes.get("class", "")
    match tag.name:
        case "a":
            return link_kind(
                tag.attributes.get("href") or text.encode("utf-16-le")[tag.offset * 2 :].decode("utf-16-le")
            )
        case "pre" if language.startswith("language-"):
            return "pre", {"language": language.removeprefix("language-")}
        case "tg-emoji":
            return "custom_emoji", {"custom_emoji_id": tag.attributes["emoji-id"]}
        case "tg-time":
            return date_kind(tag.attributes.get("unix", ""), tag.attributes.get("format", ""))
        case "blockquote" if "expandable" in tag.attributes:
            return "expandable_blockquote", {}
        case _:
            return _TYPES[tag.name], {}


def _character_of(reference: re.Match[str]) -> str | None:
    if name := reference["name"]:
        return _NAMED.get(name)
    number = int(reference["decimal"]) if reference["decimal"] else int(reference["hex"], 16)
    usable = 0 < number < 0x110000 and not 0xD800 <= number < 0xE000
    return chr(number) if usable else None
