"""Both kinds of Markdown: the same entities and errors as Telegram."""

import pytest

from playground.text.markdown import parse_markdown
from playground.text.markdown_v2 import parse_markdown_v2
from playground.text.markup import MarkupError

EXAMPLE = r"""*bold \*text*
_italic \*text_
__underline__
~strikethrough~
||spoiler||
*bold _italic bold ~italic bold strikethrough ||italic bold strikethrough spoiler||~ __underline italic bold___ bold*
[inline URL](http://www.example.com/)
[inline mention of a user](tg://user?id=123456789)
![👍](tg://emoji?id=5368324170671202286)
![22:45 tomorrow](tg://time?unix=1647531900&format=wDT)
`inline code`
```
block of code
```
```python
print(1)
```
>Quoted
>and the last line
**>Expandable
>hidden||"""


def _found(source: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the text without markup, and each entity's type and the text that it covers."""
    body = parse_markdown_v2(source)
    units = body.text.encode("utf-16-le")
    return body.text, [
        (entity.type, units[2 * entity.offset : 2 * entity.end].decode("utf-16-le")) for entity in body.entities
    ]


def test_every_kind_of_entity() -> None:
    text, entities = _found(EXAMPLE)
    assert text.splitlines()[:2] == ["bold *text", "italic *text"]
    assert entities == [
        ("bold", "bold *text"),
        ("italic", "italic *text"),
        ("underline", "underline"),
        ("strikethrough", "strikethrough"),
        ("spoiler", "spoiler"),
        (
            "bold",
            "bold italic bold italic bold strikethrough italic bold strikethrough spoiler underline italic bold bold",
        ),
        ("italic", "italic bold italic bold strikethrough italic bold strikethrough spoiler underline italic bold"),
        ("strikethrough", "italic bold strikethrough italic bold strikethrough spoiler"),
        ("spoiler", "italic bold strikethrough spoiler"),
        ("underline", "underline italic bold"),
        ("text_link", "inline URL"),
        ("text_mention", "inline mention of a user"),
        ("custom_emoji", "👍"),
        ("date_time", "22:45 tomorrow"),
        ("code", "inline code"),
        ("pre", "block of code\n"),
        ("pre", "print(1)\n"),
        ("blockquote", "Quoted\nand the last line\n"),
        ("expandable_blockquote", "Expandable\nhidden"),
    ]
    details = {entity.type: entity.details for entity in parse_markdown_v2(EXAMPLE).entities if entity.details}
    assert details == {
        "text_link": {"url": "http://www.example.com/"},
        "text_mention": {"user": {"id": 123456789}},
        "custom_emoji": {"custom_emoji_id": "5368324170671202286"},
        "date_time": {"unix_time": 1647531900, "date_time_format": "wDT"},
        "pre": {"language": "python"},
    }


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("", "", []),
        (r"1\. a\_b \\ \é", "1. a_b \\ \\é", []),
        ("a**b____c``", "abc", []),
        ("_a__b___", "ab", [("italic", "ab"), ("underline", "b")]),
        ("`*a_`", "*a_", [("code", "*a_")]),
        (r"```a \`b```", " `b", [("pre", " `b")]),
        ("```a```", "a", [("pre", "a")]),
        ("```py\n\nx```", "\nx", [("pre", "\nx")]),
        ("```py\r\nx```", "x", [("pre", "x")]),
        ("[a](none)", "a", []),
        ("[](example.com)", "", []),
        (r"[example\.com]", "example.com", [("text_link", "example.com")]),
        (r"[a](https://example.com/\))", "a", [("text_link", "a")]),
        ("[a](tg:user?id=5)", "a", [("text_mention", "a")]),
        ("a\n>b\n>c\nd", "a\nb\nc\nd", [("blockquote", "b\nc\n")]),
        (">", "", []),
        ("\r>a", "\ra", [("blockquote", "a")]),
        (">a\n**>b", "a\nb", [("blockquote", "a\n"), ("blockquote", "b")]),
        (">a**\n>b", "a\nb", [("blockquote", "a\nb")]),
        ("*a\n>b\nc*", "a\nb\nc", [("bold", "a\nb\nc"), ("blockquote", "b\n")]),
        ("*>a\n*", "a\n", [("blockquote", "a\n"), ("bold", "a\n")]),
        (">`a\n>b`\n>c", "a\n>b\nc", [("blockquote", "a\n>b\nc"), ("code", "a\n>b")]),
        (">a||b||\nc", "ab\nc", [("blockquote", "ab\n"), ("spoiler", "b")]),
        (">a||b||c||\r\nd", "abc\r\nd", [("expandable_blockquote", "abc\r\n"), ("spoiler", "b")]),
    ],
)
def test_markdown_v2(source: str, text: str, entities: list[tuple[str, str]]) -> None:
    assert _found(source) == (text, entities)


@pytest.mark.parametrize("character", "]()>#+-=|{}.!")
def test_special_characters_have_to_be_escaped(character: str) -> None:
    with pytest.raises(MarkupError, match="is reserved and must be escaped with the preceding") as caught:
        parse_markdown_v2(f"a{character}")
    assert str(caught.value).startswith(f"Character '{character}' ")
    assert parse_markdown_v2(f"a\\{character}").text == f"a{character}"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("é_a", "Can't find end of Italic entity at byte offset 2"),
        ("_a *b_", "Can't find end of Italic entity at byte offset 5"),
        ("__a _b___", "Can't find end of Italic entity at byte offset 8"),
        ("||a|", "Character '|' is reserved and must be escaped with the preceding '\\'"),
        ("||a", "Can't find end of Spoiler entity at byte offset 0"),
        ("~a", "Can't find end of Strikethrough entity at byte offset 0"),
        ("`a", "Can't find end of Code entity at byte offset 0"),
        ("```a", "Can't find end of Pre entity at byte offset 0"),
        ("```a ", "Can't find end of PreCode entity at byte offset 0"),
        ("[a", "Can't find end of TextUrl entity at byte offset 0"),
        ("[a](b", "Can't find end of a URL at byte offset 4"),
        ("[a](b\\)", "Can't find end of a URL at byte offset 4"),
        ("![a]", "Custom emoji entity must contain a tg://emoji URL"),
        ("![a](b", "Can't find end of a custom emoji URL at byte offset 5"),
        ("![a](https://example.com)", "Invalid tg://emoji or tg://time URL specified"),
        ("![a](tg://emoji?id=a)", "Invalid custom emoji identifier specified"),
        ("![a](tg://time?unix=1&format=x)", "Invalid date format used"),
        (">*a\nb*", "Can't find end of Bold entity at byte offset 1"),
        (">a>", "Character '>' is reserved and must be escaped with the preceding '\\'"),
        (">a||b\nc||", "Can't find end of Spoiler entity at byte offset 2"),
    ],
)
def test_invalid_markdown_v2_is_refused(source: str, reason: str) -> None:
    with pytest.raises(MarkupError) as caught:
        parse_markdown_v2(source)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("1. a-b (c)!", "1. a-b (c)!", []),
        ("*bold* _italic_ `a*b`", "bold italic a*b", [("bold", 0, 4), ("italic", 5, 6), ("code", 12, 3)]),
        ("é😀*b*", "é😀b", [("bold", 3, 1)]),
        (r"a\_b\*c\`d\[e \. ", r"a_b*c`d[e \. ", []),
        ("*a_b*", "a_b", [("bold", 0, 3)]),
        ("** a", " a", []),
        ("```py\nx```", "x", [("pre", 0, 1)]),
        ("[a](example.com) [b](none)", "a b", [("text_link", 0, 1)]),
        ("[example.com]", "example.com", [("text_link", 0, 11)]),
    ],
)
def test_older_markdown(source: str, text: str, entities: list[tuple[str, int, int]]) -> None:
    body = parse_markdown(source)
    assert body.text == text
    assert [(entity.type, entity.offset, entity.length) for entity in body.entities] == entities


@pytest.mark.parametrize("source", ["é *a", "é _a", "é `a", "é [a", "é ```a"])
def test_invalid_older_markdown_is_refused(source: str) -> None:
    with pytest.raises(MarkupError) as caught:
        parse_markdown(source)
    assert str(caught.value) == "Can't find end of the entity starting at byte offset 3"
