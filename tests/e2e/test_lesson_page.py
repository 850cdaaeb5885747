"""The first lesson on the chat page. The test acts as the bot, and the lesson is the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from page_access import violations
from playground_process import running_playground
from playwright.sync_api import Page, expect
from raw_bot import RawBot

from playground.client import PlaygroundClient
from playground.state.lesson import Goal, Lesson, Step

BEN, CLEO = 2, 3
LESSON = Lesson(
    title="Your first lesson",
    end="That's all.",
    steps=(
        Step(
            name="correct",
            title="correct two reviews",
            text="Tap Wrong.",
            person=BEN,
            samples=("A fine play.", "A fine film."),
            goal=Goal.SEEN,
            pattern="Thanks",
            count=2,
            unit="corrections to your first lesson",
        ),
        Step(
            name="ask",
            title="ask as Cleo",
            text="Send both.",
            person=CLEO,
            samples=("A fine book.", "A fine song."),
            goal=Goal.ANSWERED,
            pattern="Positive|Negative",
            count=2,
            unit="reviews answered",
        ),
    ),
)


@pytest.fixture
def playground(tmp_path: Path) -> Iterator[PlaygroundClient]:
    with running_playground(tmp_path / "playground", lesson=LESSON) as client:
        yield client


def answer_all(bot: RawBot, person: int, text: str) -> list[int]:
    """Answer everything that the person has written and the bot has not seen, and return the answers' message ids."""
    updates = bot.call("getUpdates")
    bot.call("getUpdates", offset=updates[-1]["update_id"] + 1)
    asked = [update["message"]["message_id"] for update in updates]
    return [
        bot.call("sendMessage", chat_id=person, text=text, reply_parameters={"message_id": one})["message_id"]
        for one in asked
    ]


def test_the_lesson_follows_the_chats_to_its_end(playground: PlaygroundClient, bot: RawBot, page: Page) -> None:
    page.goto(playground.url)
    lesson = page.get_by_role("region", name="Your first lesson")
    expect(lesson).to_contain_text("Step 1 of 2: correct two reviews")
    expect(lesson).to_contain_text("0 of 2 corrections to your first lesson")
    assert violations(page) == []
    lesson.get_by_role("button", name="A fine play.").click()
    expect(lesson.get_by_role("button", name="A fine play.")).to_have_count(0)
    expect(lesson.get_by_role("button", name="A fine film.")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".bubble .text")).to_have_text(["A fine play.", "A fine film."])
    first, second = answer_all(bot, BEN, "Negative")
    bot.call("editMessageText", chat_id=BEN, message_id=first, text="Negative. Thanks")
    expect(lesson).to_contain_text("1 of 2 corrections to your first lesson")
    bot.call("editMessageText", chat_id=BEN, message_id=second, text="Negative. Thanks")
    expect(lesson).to_contain_text("Step 2 of 2: ask as Cleo")
    lesson.get_by_role("button", name="Switch to Cleo").click()
    expect(page.get_by_role("radio", name="Cleo")).to_be_checked()
    lesson.get_by_role("button", name="Send all 2").click()
    expect(page.locator(".bubble .text")).to_have_text(["A fine book.", "A fine song."])
    expect(lesson.locator(".sample")).to_have_count(0)
    answer_all(bot, CLEO, "Positive")
    expect(lesson).to_contain_text("That's all.")
    assert violations(page) == []
    lesson.get_by_role("button", name="Hide the lesson").click()
    expect(lesson).to_be_hidden()


def test_a_hidden_lesson_stays_hidden_until_it_is_asked_for(playground: PlaygroundClient, page: Page) -> None:
    page.goto(playground.url)
    lesson = page.locator("#lesson")
    page.get_by_role("button", name="Hide the lesson").click()
    expect(lesson).to_be_hidden()
    expect(page.locator("#composer")).to_be_focused()
    page.reload()
    expect(page.get_by_role("button", name="Lesson", exact=True)).to_be_visible()
    expect(lesson).to_be_hidden()
    page.get_by_role("button", name="Lesson", exact=True).click()
    expect(lesson).to_be_visible()


def test_a_step_can_be_skipped(playground: PlaygroundClient, page: Page) -> None:
    page.goto(playground.url)
    skip = page.get_by_role("button", name="Skip this step")
    skip.click()
    expect(page.locator("#lesson")).to_contain_text("Step 2 of 2")
    skip.click()
    expect(page.locator("#lesson")).to_contain_text("That's all.")
    page.reload()
    expect(page.locator("#lesson")).to_contain_text("That's all.")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_lesson_leaves_room_for_the_chat_on_a_phone(playground: PlaygroundClient, page: Page, colours: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme=colours)
    page.goto(playground.url)
    expect(page.locator("#lesson")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("#messages").bounding_box()["height"] > 250
    assert violations(page) == []
