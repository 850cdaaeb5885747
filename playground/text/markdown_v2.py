"""Parses Telegram's MarkdownV2 into a text with entities, and raises the same errors as Telegram.

Special characters outside of markup must be escaped with a backslash.
"""

from dataclasses import dataclass

from playground.text.entities import Entity, FormattedText, sort_entities, utf16_length
from playground.text.markup import EntityKind, MarkupError, byte_offset, link_kind, skip_language, special_kind

_RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
# The first match wins. The names appear in Telegram's errors.
_STARTS = (
    ("__", "Underline"),
    ("_", "Italic"),
    ("*", "Bold"),
    ("~", "Strikethrough"),
    ("||", "Spoiler"),
    ("![", "CustomEmoji"),
    ("[", "TextUrl"),
    ("```", "Pre"),
    ("`", "Code"),
)
_ENDS = {
    "Underline": "__",
    "Italic": "_",
    "Bold": "*",
    "Strikethrough": "~",
    "Spoiler": "||",
    "CustomEmoji": "]",
    "TextUrl": "]",
    "Pre": "```",
    "PreCode": "```",
    "Code": "`",
}
_QUOTE = "BlockQuote"
_CODE = frozenset({"Code", "Pre", "PreCode"})


@dataclass(slots=True)
class _OpenEntity:
    name: str
    start: int
    """Position of the entity's first character in the source."""
    offset: int
    """Number of UTF-16 code units before the entity."""
    characters: int
    """Number of characters in the text before the entity."""
    language: str = ""
    expandable: bool = False


def parse_markdown_v2(source: str) -> FormattedText:
    """Parse ``source``, or raise MarkupError."""
    return _Parser(source).parse()


class _Parser:
    """Parses the source in one pass. The state is the text so far and the open entities."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.text: list[str] = []
        self.length = 0
        self.open: list[_OpenEntity] = []
        self.entities: list[Entity] = []
        self.can_start_quote = True
        self.after_line_break = False

    def parse(self) -> FormattedText:
        while self.position < len(self.source):
            if self.after_line_break and self._quote() is not None and self._continue_or_end_quote():
                continue
            character = self.source[self.position]
            if character == "\\" and "\0" < self.source[self.position + 1 : self.position + 2] <= "~":
                self._add(self.source[self.position + 1])
                self.position += 2
            elif character not in self._reserved():
                self._add(character)
                self.position += 1
            elif self._is_end():
                self._end()
            else:
                self._start()
        if self.open and self.open[-1].name == _QUOTE:
            self._close({})
        self._check_closed()
        return FormattedText("".join(self.text), sort_entities(self.entities))

    def _add(self, character: str) -> None:
        self.text.append(character)
        self.length += utf16_length(character)
        self.after_line_break = character == "\n" and not self._in_code()
        if character != "\r":
            self.can_start_quote = self.after_line_break

    def _in_code(self) -> bool:
        return bool(self.open) and self.open[-1].name in _CODE

    def _reserved(self) -> frozenset[str]:
        return frozenset("`") if self._in_code() else _RESERVED

    def _next_is(self, expected: str) -> bool:
        return self.source.startswith(expected, self.position)

    def _check_closed(self) -> None:
        if self.open:
            offset = byte_offset(self.source, self.open[-1].start)
            raise MarkupError(f"Can't find end of {self.open[-1].name} entity at byte offset {offset}")

    def _quote(self) -> _OpenEntity | None:
        return next((entity for entity in self.open if entity.name == _QUOTE), None)

    def _continue_or_end_quote(self) -> bool:
        """Skip the mark at the start of another quoted line, or end the quote.

        Call this at the start of a line that follows a quoted line. Return whether the quote continues.
        """
        self.after_line_break = False
        if self._next_is(">"):
            self.position += 1
            self.can_start_quote = False
            return True
        if self.open[-1].name != _QUOTE:
            self._check_closed()
        self._close({})
        return False

    def _start(self) -> None:
        if self._next_is(">") and self.can_start_quote and self._quote() is None:
            self._open(_QUOTE, ">")
            self.can_start_quote = self.after_line_break = False
            return
        found = next((start for start in _STARTS if self._next_is(start[0])), None)
        if found is None:
            character = self.source[self.position]
            raise MarkupError(f"Character '{character}' is reserved and must be escaped with the preceding '\\'")
        mark, name = found
        if name == "Spoiler" and self._ends_expandable_quote():
            self.open[-1].expandable = True
            self.position += len(mark)
            return
        self._open(name, mark)
        if name == "Pre":
            self.open[-1].language, self.position = skip_language(self.source, self.position)
            self.open[-1].name = "PreCode" if self.open[-1].language else "Pre"

    def _open(self, name: str, mark: str) -> None:
        self.open.append(_OpenEntity(name, self.position, self.length, len(self.text)))
        self.position += len(mark)

    def _ends_expandable_quote(self) -> bool:
        """Return whether the next two characters end the last line of a quote, which makes the quote expandable."""
        if not self.open or self.open[-1].name != _QUOTE:
            return False
        rest = self.source[self.position + 2 :].removeprefix("\r")
        return not rest or (rest[0] == "\n" and not rest.startswith("\n>"))

    def _is_end(self) -> bool:
        if not self.open or self.open[-1].name == _QUOTE:
            return False
        name = self.open[-1].name
        return self._next_is(_ENDS[name]) and not (name == "Italic" and self._next_is("__"))

    def _end(self) -> None:
        entity = self.open[-1]
        self.position += len(_ENDS[entity.name])
        match entity.name:
            case "TextUrl":
                written = "".join(self.text[entity.characters :])
                url = self._read_address("a URL") if self._next_is("(") else written
                self._close_as(link_kind(url))
            case "CustomEmoji":
                if not self._next_is("("):
                    raise MarkupError("Custom emoji entity must contain a tg://emoji URL")
                self._close_as(special_kind(self._read_address("a custom emoji URL")))
            case _:
                self._close({"language": entity.language} if entity.language else {})

    def _read_address(self, what: str) -> str:
        """Consume an address in parentheses."""
        start = self.position = self.position + 1
        address = []
        while not self._next_is(")"):
            if self._next_is("\\") and "\0" < self.source[self.position + 1 : self.position + 2] <= "~":
                self.position += 1
            if self.position >= len(self.source):
                raise MarkupError(f"Can't find end of {what} at byte offset {byte_offset(self.source, start)}")
            address.append(self.source[self.position])
            self.position += 1
        self.position += 1
        return "".join(address)

    def _close(self, details: dict[str, object]) -> None:
        entity = self.open[-1]
        if entity.name == _QUOTE:
            kind = "expandable_blockquote" if entity.expandable else "blockquote"
        else:
            kind = "pre" if entity.name == "PreCode" else entity.name.lower()
        self._close_as((kind, details))

    def _close_as(self, kind: EntityKind | None) -> None:
        """Close the innermost entity. The entity is dropped if it has no kind or no text."""
        entity = self.open.pop()
        if kind is not None and self.length > entity.offset:
            self.entities.append(Entity(kind[0], entity.offset, self.length - entity.offset, kind[1]))
