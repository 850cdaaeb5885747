"""Telegram's HTML subset: texts, entities in UTF-16 code units, and Telegram's errors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.text.entities import Entity, FormattedText, utf16_length
from playground.text.html import MarkupError, parse_html


def _entities(source: str) -> list[tuple[str, int, int]]:
    return [(entity.type, entity.offset, entity.length) for entity in parse_html(source).entities]


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("b", "bold"),
        ("strong", "bold"),
        ("i", "italic"),
        ("em", "italic"),
        ("u", "underline"),
        ("ins", "underline"),
        ("s", "strikethrough"),
        ("strike", "strikethrough"),
        ("del", "strikethrough"),
        ("code", "code"),
        ("pre", "pre"),
        ("tg-spoiler", "spoiler"),
        ("blockquote", "blockquote"),
        ("B", "bold"),
    ],
)
def test_a_tag_becomes_an_entity(tag: str, kind: str) -> None:
    parsed = parse_html(f"a <{tag}>warm</{tag}> film")
    assert parsed.text == "a warm film"
    assert parsed.entities == (Entity(kind, 2, 4),)


def test_offsets_count_utf16_units() -> None:
    assert _entities("👍🏽 <b>é👎</b>") == [("bold", 5, 3)]


def test_nested_entities_come_outer_first() -> None:
    assert _entities("<b>so <i>very <u>good</u></i></b>") == [("bold", 0, 12), ("italic", 3, 9), ("underline", 8, 4)]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&quot;fine&quot;", '"fine"'),
        ("&#9829; &#x1F44D;", "♥ 👍"),
        ("&nbsp; &copy; & &; R&B", "&nbsp; &copy; & &; R&B"),
        ("&#0; &#x110000; &#xD800; &#99999999999;", "&#0; &#x110000; &#xD800; &#99999999999;"),
        ("a > b", "a > b"),
    ],
)
def test_character_references_are_decoded(source: str, text: str) -> None:
    assert parse_html(source) == FormattedText(text)


def test_entities_have_details() -> None:
    assert parse_html('<a href="https://example.com/?a=1&amp;b=2">x</a>').entities[0].details == {
        "url": "https://example.com/?a=1&b=2"
    }
    assert parse_html("<a>example.com</a>").entities[0].details == {"url": "http://example.com/"}
    assert parse_html('<pre><code class="language-python">1</code></pre>').entities == (
        Entity("pre", 0, 1, {"language": "python"}),
    )
    assert parse_html("<span class='tg-spoiler'>x</span>").entities[0].type == "spoiler"
    assert parse_html('<tg-emoji emoji-id="12">👍</tg-emoji>').entities[0].details == {"custom_emoji_id": "12"}
    assert parse_html("<blockquote expandable>x</blockquote>").entities[0].type == "expandable_blockquote"


def test_a_link_without_an_address_and_an_empty_tag_leave_no_entity() -> None:
    assert parse_html('<a href="javascript:alert(1)">x</a><b></b>') == FormattedText("x")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("3 < 4", 'Unsupported start tag "" at byte offset 2'),
        ("é<br>", 'Unsupported start tag "br" at byte offset 2'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<a href>x</a>", 'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0'),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ('<a ="x">x</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<tg-emoji>x</tg-emoji>", "Invalid custom emoji identifier specified at byte offset 0"),
    ],
)
def test_invalid_markup_is_reported(source: str, reason: str) -> None:
    with pytest.raises(MarkupError) as caught:
        parse_html(source)
    assert str(caught.value) == reason


@given(st.text())
def test_escaped_text_is_restored(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert parse_html(escaped) == FormattedText(text)


@given(st.text(alphabet="<>/ab =\"'&;#x1é👍", max_size=40))
def test_any_markup_is_parsed_or_refused(source: str) -> None:
    try:
        parsed = parse_html(source)
    except MarkupError:
        return
    assert all(0 <= entity.offset < entity.end <= utf16_length(parsed.text) for entity in parsed.entities)
