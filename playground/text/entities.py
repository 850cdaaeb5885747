"""Texts with entities. Offsets and lengths are in UTF-16 code units, like Telegram's."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from playground.wire import JsonObject

# Apps detect these without markup. The first matching alternative wins.
_DETECTED = re.compile(
    r"(?P<url>(?<![\w@/])(?:https?://[^\s<>\"]+|(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|me|info|de|uk|co)\b(?:/[^\s<>\"]*)?))"
    r"|(?P<email>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<bot_command>(?<![\w/<>@])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/]))"
    r"|(?P<mention>(?<![\w@.])@[A-Za-z][A-Za-z0-9_]{3,31}\b)"
    r"|(?P<hashtag>(?<![\w#])#\w*[^\W\d]\w*)",
    re.IGNORECASE,
)


def utf16_length(text: str) -> int:
    """Return the number of UTF-16 code units. Characters outside the basic plane count as two."""
    return len(text) + sum(character > "\uffff" for character in text)


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity. ``offset`` and ``length`` are in UTF-16 code units. ``details`` has values such as the ``url``."""

    type: str
    offset: int
    length: int
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The offset of the first code unit after the entity."""
        return self.offset + self.length

    def to_api(self) -> JsonObject:
        """Return Telegram's MessageEntity."""
        return {"type": self.type, "offset": self.offset, "length": self.length, **self.details}


@dataclass(frozen=True, slots=True)
class FormattedText:
    """A text and its entities, ordered by offset."""

    text: str
    entities: tuple[Entity, ...] = ()

    def strip(self) -> "FormattedText":
        """Strip white space from both ends of the text. Entities are shifted, and empty entities are removed."""
        without_end = self.text.rstrip()
        text = without_end.lstrip()
        start = utf16_length(without_end) - utf16_length(text)
        length = utf16_length(text)
        entities = []
        for entity in self.entities:
            first, last = max(entity.offset - start, 0), min(entity.end - start, length)
            if first < last:
                entities.append(replace(entity, offset=first, length=last - first))
        return FormattedText(text, tuple(entities))

    def with_detected_entities(self) -> "FormattedText":
        """Return the text with added entities for links, commands, mentions, hashtags and e-mail addresses.

        Entities are not detected inside existing entities.
        """
        detected = [new for new in _detect(self.text) if not any(_overlaps(new, old) for old in self.entities)]
        return FormattedText(self.text, sort_entities([*self.entities, *detected]))


def sort_entities(entities: list[Entity]) -> tuple[Entity, ...]:
    """Sort entities by offset. If several have the same offset, longer ones come first."""
    return tuple(sorted(entities, key=lambda entity: (entity.offset, -entity.length)))


def _detect(text: str) -> Iterator[Entity]:
    for match in _DETECTED.finditer(text):
        shown = match.group().rstrip(".,;:!?)'") if match.lastgroup == "url" else match.group()
        yield Entity(str(match.lastgroup), utf16_length(text[: match.start()]), utf16_length(shown))


def _overlaps(one: Entity, other: Entity) -> bool:
    return one.offset < other.end and other.offset < one.end
