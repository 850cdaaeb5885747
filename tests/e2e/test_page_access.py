"""The chat page for people who use a keyboard, a touch screen, high contrast or a screen reader."""

import struct
import zlib

import pytest
from page_access import violations
from playwright.sync_api import Browser, Page, expect
from raw_bot import RawBot

from playground.client import PlaygroundClient

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
VOTES = {"inline_keyboard": [[{"text": "Right", "callback_data": "r"}, {"text": "Wrong", "callback_data": "w"}]]}
UNDO = {"inline_keyboard": [[{"text": "Undo", "callback_data": "u"}]]}


def make_png(width: int, height: int) -> bytes:
    """Return a grey PNG of this size."""
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


IMAGE = make_png(960, 640)


def fill_chat(playground: PlaygroundClient, bot: RawBot) -> int:
    """Fill Ben's chat with every kind of message, and return the id of the bot's newest message."""
    bot.call("setMyCommands", commands=[{"command": "help", "description": "What I can do"}])
    asked = playground.message("A dull film. https://example.com")["message_id"]
    playground.forward("A fine play.")
    playground.document("reviews.csv", b"text")
    playground.photo("picture.png", IMAGE, caption="A fine picture")
    playground.voice()
    playground.sticker()
    rich = "<b>Bold</b> · <i>italic</i> <code>code</code> <tg-spoiler>hidden</tg-spoiler> /help <pre>one</pre>"
    sent = bot.call(
        "sendMessage",
        chat_id=2,
        text=rich,
        parse_mode="HTML",
        reply_markup=VOTES,
        reply_parameters={"message_id": asked},
    )
    return int(sent["message_id"])


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_keeps_to_wcag_2_2_aa(
    playground: PlaygroundClient, bot: RawBot, page: Page, size: dict[str, int], colours: str
) -> None:
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=colours)
    page.goto(playground.url)
    expect(page.locator(".intro")).to_be_visible()
    assert violations(page) == []
    fill_chat(playground, bot)
    expect(page.locator(".bubble")).to_have_count(7)
    assert violations(page) == []
    page.locator("#composer").press_sequentially("/")
    expect(page.locator("#menu").get_by_role("option")).to_have_count(1)
    assert violations(page) == []
    if size is PHONE:
        page.get_by_role("button", name="Faults and calls").click()
    page.locator("#faults-pane summary").click()
    page.locator("#calls summary").first.click()
    assert violations(page) == []
    page.get_by_role("button", name="Clear all chats and calls").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("name", ["File", "Album", "Forward"])
def test_the_dialogs_for_attachments_keep_to_wcag_2_2_aa(playground: PlaygroundClient, page: Page, name: str) -> None:
    page.goto(playground.url)
    page.get_by_role("button", name="Attach").click()
    choice = page.locator("#attach-menu").get_by_role("button", name=name)
    expect(choice).to_be_visible()
    if name != "File":
        choice.click()
        expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


def test_the_focus_stays_when_the_bot_answers_a_tap(playground: PlaygroundClient, bot: RawBot, page: Page) -> None:
    number = fill_chat(playground, bot)
    page.goto(playground.url)
    page.get_by_role("button", name="Wrong").focus()
    page.keyboard.press("Enter")
    expect(page.locator("button.waiting")).to_be_visible()
    bot.call("editMessageText", chat_id=2, message_id=number, text="Thank you", reply_markup=VOTES)
    bubble = page.locator(f".bubble[data-message-id='{number}']")
    expect(bubble).to_contain_text("Thank you")
    expect(bubble.get_by_role("button", name="Wrong")).to_be_focused()
    bot.call("editMessageText", chat_id=2, message_id=number, text="Noted", reply_markup=UNDO)
    expect(bubble.get_by_role("button", name="Undo")).to_be_focused()
    bot.call("editMessageText", chat_id=2, message_id=number, text="Done")
    expect(bubble).to_be_focused()


def test_own_messages_are_edited_with_the_keyboard(playground: PlaygroundClient, page: Page) -> None:
    playground.message("A dull film")
    page.goto(playground.url)
    page.locator("#messages").focus()
    page.keyboard.press("Tab")
    edit = page.get_by_role("button", name="Edit")
    expect(edit).to_be_focused()
    expect(edit).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    expect(page.locator("#composer")).to_be_focused()
    expect(page.locator("#composer")).to_have_value("A dull film")
    page.keyboard.press("Escape")
    expect(page.locator("#composer")).to_have_value("")
    expect(page.locator("#editing")).to_be_hidden()


def test_a_finger_finds_edit_without_hovering(playground: PlaygroundClient, browser: Browser) -> None:
    playground.message("A dull film")
    page = browser.new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto(playground.url)
    edit = page.get_by_role("button", name="Edit")
    expect(edit).to_have_css("opacity", "1")
    edit.tap()
    expect(page.locator("#editing")).to_be_visible()
    expect(page.locator("#composer")).to_have_value("A dull film")


def test_the_log_of_calls_is_one_stop_for_tab(playground: PlaygroundClient, bot: RawBot, page: Page) -> None:
    page.goto(playground.url)
    for _ in range(5):
        bot.call("getMe")
    calls = page.locator("#calls summary")
    expect(calls).to_have_count(5)
    page.locator("#calls-pane > summary").focus()
    page.keyboard.press("Tab")
    inside = page.locator("#calls summary:focus")
    expect(inside).to_have_count(1)
    page.keyboard.press("End")
    expect(calls.last).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(calls.nth(3)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Clear all chats and calls")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(calls.nth(3)).to_be_focused()


def test_a_wide_picture_is_legible_and_can_be_enlarged(playground: PlaygroundClient, page: Page) -> None:
    page.set_viewport_size(DESKTOP)
    playground.photo("chart.png", IMAGE, caption="Held")
    page.goto(playground.url)
    picture = page.get_by_role("button", name="Picture")
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] > 600
    picture.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(picture).to_be_focused()
