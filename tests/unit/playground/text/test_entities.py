"""Stripping white space, and the entities that apps detect in plain text."""

import pytest

from playground.text.entities import Entity, FormattedText


def test_stripping_shifts_entities_and_drops_those_of_white_space() -> None:
    text = FormattedText("  👍 fine \n", (Entity("bold", 0, 2), Entity("italic", 1, 9), Entity("code", 9, 2)))
    assert text.strip() == FormattedText("👍 fine", (Entity("italic", 0, 7),))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/start", [("bot_command", "/start")]),
        ("see /help and /me@play_bot", [("bot_command", "/help"), ("bot_command", "/me@play_bot")]),
        ("either/or 1/2 /a/b", []),
        ("https://example.com/a?b=1, or example.org.", [("url", "https://example.com/a?b=1"), ("url", "example.org")]),
        ("ask @playground_bot or me@example.com #film #1", [
            ("mention", "@playground_bot"), ("email", "me@example.com"), ("hashtag", "#film"),
        ]),
        ("👍 /yes", [("bot_command", "/yes")]),
        ("The end.It was fine", []),
    ],
)  # fmt: skip
def test_entities_that_apps_detect(text: str, found: list[tuple[str, str]]) -> None:
    units = text.encode("utf-16-le")
    entities = FormattedText(text).with_detected_entities().entities
    assert [(e.type, units[2 * e.offset : 2 * e.end].decode("utf-16-le")) for e in entities] == found


def test_nothing_is_detected_inside_an_entity_of_the_bot() -> None:
    text = FormattedText("run /start", (Entity("code", 0, 10),))
    assert text.with_detected_entities() == text
