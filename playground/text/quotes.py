"""Finds the part of a message that a reply quotes."""

from collections.abc import Iterator

from playground.text.entities import Entity, FormattedText, utf16_length

QUOTE_LIMIT = 1024
# Other entities are removed from quotes, so they need not match.
_KEPT = frozenset(["bold", "italic", "underline", "strikethrough", "spoiler", "custom_emoji", "date_time"])


def find_quote(message: FormattedText, quote: FormattedText, near: int) -> int | None:
    """Return the position of ``quote`` in ``message`` that is nearest to ``near``, or None if there is no match.

    Positions are in UTF-16 code units. The text must match exactly, and so must the kinds of entities that quotes keep.
    """
    length, wanted = utf16_length(quote.text), _kept(quote.entities, 0, utf16_length(quote.text))
    found = [at for at in _positions(message.text, quote.text) if _kept(message.entities, at, length) == wanted]
    return min(found, key=lambda at: abs(at - near), default=None)


def kept_entities(quote: FormattedText) -> list[Entity]:
    """Return the entities that a quote keeps."""
    return [entity for entity in quote.entities if entity.type in _KEPT]


def _positions(text: str, part: str) -> Iterator[int]:
    start = text.find(part)
    while start >= 0:
        yield utf16_length(text[:start])
        start = text.find(part, start + 1)


def _kept(entities: tuple[Entity, ...], start: int, length: int) -> set[tuple[str, int, int]]:
    """Return the kind, start and end of each kept entity within a part of a text, relative to that part."""
    clipped = (
        (entity.type, max(entity.offset - start, 0), min(entity.end - start, length))
        for entity in entities
        if entity.type in _KEPT
    )
    return {(kind, first, last) for kind, first, last in clipped if first < last}
