"""Telegram's HTML subset: a marked-up text becomes a text with entities, or the error that Telegram gives.

Errors name the byte offset, in UTF-8, of the tag that is wrong.
"""

import re
from dataclasses import dataclass

from playground.text.entities import Entity, FormattedText, in_order, utf16_length

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
    "blockquote": "blockquote",
}
_REFERENCE = re.compile(r"&(?:#(?P<decimal>\d{1,8})|#x(?P<hex>[0-9a-fA-F]{1,8})|(?P<name>[a-zA-Z]+));?")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_TAG_NAME = re.compile(r"[^\s>]*")
_SPACE = re.compile(r"\s*")
_ATTRIBUTE_NAME = re.compile(r"[^\s=>]*")
_BARE_VALUE = re.compile(r"[\w.-]+")


class BadMarkup(Exception):
    """The markup breaks a rule; the message is the part of Telegram's description after "can't parse entities: "."""


@dataclass(frozen=True, slots=True)
class _OpenTag:
    name: str
    attributes: dict[str, str]
    offset: int
    """UTF-16 code units of the text before it."""


def parse_html(source: str) -> FormattedText:
    """Read ``source``; raises BadMarkup."""
    return _Parser(source).parse()


class _Parser:
    """Walks over the source once, with the text so far and the tags that are open."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.text: list[str] = []
        self.length = 0
        self.open: list[_OpenTag] = []
        self.entities: list[Entity] = []

    def parse(self) -> FormattedText:
        while self.at < len(self.source):
            if self.source.startswith("</", self.at):
                self._end_tag()
            elif self.source[self.at] == "<":
                self._start_tag()
            else:
                self._add(self._character())
        if self.open:
            raise BadMarkup(f'Can\'t find end tag corresponding to start tag "{self.open[-1].name}"')
        return FormattedText("".join(self.text), in_order(self.entities))

    def _add(self, characters: str) -> None:
        self.text.append(characters)
        self.length += utf16_length(characters)

    def _character(self) -> str:
        """Step over one character or character reference; an unknown reference stays as it is written."""
        reference = _REFERENCE.match(self.source, self.at)
        character = _referred(reference) if reference else None
        if reference and character is not None:
            self.at = reference.end()
            return character
        self.at += 1
        return self.source[self.at - 1]

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.source, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match.group()

    def _next_is(self, expected: str) -> bool:
        return self.source.startswith(expected, self.at)

    def _wrong(self, reason: str, tag_start: int, rest: str = "") -> BadMarkup:
        return BadMarkup(f"{reason} at byte offset {len(self.source[:tag_start].encode())}{rest}")

    def _start_tag(self) -> None:
        start = self.at
        self.at += 1
        name = self._take(_TAG_NAME).lower()
        if name not in _TYPES:
            raise self._wrong(f'Unsupported start tag "{name}"', start)
        attributes = self._attributes(name, start)
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise self._wrong('Tag "span" must have class "tg-spoiler"', start)
        if name == "tg-emoji" and not attributes.get("emoji-id", "").isdecimal():
            raise self._wrong("Invalid custom emoji identifier specified", start)
        self.open.append(_OpenTag(name, attributes, self.length))

    def _attributes(self, tag: str, start: int) -> dict[str, str]:
        """Read up to and over the tag's ``>``."""
        attributes: dict[str, str] = {}
        while True:
            self._take(_SPACE)
            if self.at >= len(self.source):
                raise self._wrong("Unclosed start tag", start)
            if self._next_is(">"):
                self.at += 1
                return attributes
            name = self._take(_ATTRIBUTE_NAME).lower()
            if not name:
                raise self._wrong(f'Empty attribute name in the tag "{tag}"', start)
            attributes[name] = self._value(tag, name, start)

    def _value(self, tag: str, name: str, start: int) -> str:
        self._take(_SPACE)
        if not self._next_is("="):
            if name == "expandable":
                return ""
            raise self._wrong(f'Expected equal sign in declaration of an attribute of the tag "{tag}"', start)
        self.at += 1
        self._take(_SPACE)
        if not (self._next_is('"') or self._next_is("'")):
            value = self._take(_BARE_VALUE)
            if not value:
                raise self._wrong(f'Unexpected end of value of an attribute of the tag "{tag}"', start)
            return value
        return self._quoted(start)

    def _quoted(self, start: int) -> str:
        quote = self.source[self.at]
        self.at += 1
        value = []
        while not self._next_is(quote):
            if self.at >= len(self.source):
                raise self._wrong("Unclosed start tag", start)
            value.append(self._character())
        self.at += 1
        return "".join(value)

    def _end_tag(self) -> None:
        start = self.at
        if not self.open:
            raise self._wrong("Unexpected end tag", start)
        self.at += 2
        name = self._take(_TAG_NAME).lower()
        self._take(_SPACE)
        if not self._next_is(">"):
            raise self._wrong("Unclosed end tag", start)
        self.at += 1
        tag = self.open.pop()
        if name not in ("", tag.name):
            raise self._wrong("Unmatched end tag", start, f', expected "</{tag.name}>", found "</{name}>"')
        if self.length > tag.offset:
            self._close(tag)

    def _close(self, tag: _OpenTag) -> None:
        length = self.length - tag.offset
        kind, details = _TYPES[tag.name], _details(tag, "".join(self.text))
        if tag.name == "a" and not details:
            return
        if tag.name == "blockquote" and "expandable" in tag.attributes:
            kind = "expandable_blockquote"
        if tag.name == "code" and self.open and self.open[-1] == _OpenTag("pre", {}, tag.offset):
            # The language stands on the inner tag: hand it to the outer one, which is the entity.
            self.open[-1] = _OpenTag("pre", tag.attributes, tag.offset)
            return
        self.entities.append(Entity(kind, tag.offset, length, details))


def _details(tag: _OpenTag, text: str) -> dict[str, object]:
    """What an entity carries besides its place; nothing for a link that leads nowhere."""
    language = tag.attributes.get("class", "")
    if tag.name == "a":
        url = tag.attributes.get("href") or text.encode("utf-16-le")[tag.offset * 2 :].decode("utf-16-le")
        return _link(url.strip())
    if tag.name == "pre" and language.startswith("language-"):
        return {"language": language.removeprefix("language-")}
    if tag.name == "tg-emoji":
        return {"custom_emoji_id": tag.attributes["emoji-id"]}
    return {}


def _link(url: str) -> dict[str, object]:
    if re.match(r"(https?|tg|tonsite)://[^\s]+", url):
        return {"url": url}
    return {"url": f"http://{url}/"} if re.fullmatch(r"[\w-]+(\.[\w-]+)+", url) else {}


def _referred(reference: re.Match[str]) -> str | None:
    if name := reference["name"]:
        return _NAMED.get(name)
    number = int(reference["decimal"]) if reference["decimal"] else int(reference["hex"], 16)
    usable = 0 < number < 0x110000 and not 0xD800 <= number < 0xE000
    return chr(number) if usable else None
