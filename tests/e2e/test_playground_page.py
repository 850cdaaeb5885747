"""The chat page in a browser. The test acts as the bot and calls the Bot API itself."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
from playwright.sync_api import Page, expect
from raw_bot import RawBot

from playground.client import PlaygroundClient

BUTTONS = {"inline_keyboard": [[{"text": "Right", "callback_data": "r"}, {"text": "Wrong", "callback_data": "w"}]]}


def test_a_chat_from_the_first_word_to_an_answered_tap(playground: PlaygroundClient, bot: RawBot, page: Page) -> None:
    bot.call("setMyDescription", description="I read reviews.")
    page.goto(playground.url)
    expect(page.locator(".intro")).to_contain_text("I read reviews.")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".bubble")).to_contain_text("/start")

    page.locator("#composer").fill("First line")
    page.locator("#composer").press("Shift+Enter")
    page.keyboard.type("Second line")
    page.keyboard.press("Enter")
    expect(page.locator(".bubble").last).to_contain_text("First line\nSecond line")
    expect(page.locator("#composer")).to_have_value("")

    bot.call("sendChatAction", chat_id=2, action="typing")
    expect(page.locator("#bot-state")).to_have_text("typing…")
    sent = bot.call("sendMessage", chat_id=2, text="<b>Positive</b>", parse_mode="HTML", reply_markup=BUTTONS)
    bubble = page.locator(f".bubble.from-bot[data-message-id='{sent['message_id']}']")
    expect(bubble.locator("strong")).to_have_text("Positive")
    bubble.locator("button[data-callback='w']").click()
    expect(bubble.locator("button.waiting")).to_have_text("Wrong")
    query = bot.call("getUpdates", offset=-1)[0]["callback_query"]
    bot.call("answerCallbackQuery", callback_query_id=query["id"], text="Thank you")
    expect(page.locator("#toast")).to_have_text("Thank you")
    expect(bubble.locator("button.waiting")).to_have_count(0)
    bot.call("editMessageText", chat_id=2, message_id=sent["message_id"], text="Negative & <b>")
    expect(bubble).to_contain_text("Negative & <b>")
    expect(bubble.locator(".edited")).to_be_visible()
    expect(bubble.locator("button[data-callback]")).to_have_count(0)


def test_an_alert_is_a_dialog(playground: PlaygroundClient, bot: RawBot, page: Page) -> None:
    playground.message("Hello")
    bot.call("sendMessage", chat_id=2, text="Sure?", reply_markup=BUTTONS)
    page.goto(playground.url)
    page.locator("button[data-callback='r']").click()
    expect(page.locator("button.waiting")).to_be_visible()
    query = bot.call("getUpdates", offset=-1)[0]["callback_query"]
    bot.call("answerCallbackQuery", callback_query_id=query["id"], text="It is gone for good.", show_alert=True)
    expect(page.get_by_role("dialog")).to_contain_text("It is gone for good.")
    page.get_by_role("button", name="OK").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_each_person_has_a_separate_chat_and_menu(playground: PlaygroundClient, bot: RawBot, page: Page) -> None:
    playground.message("From Ben")
    playground.message("From Ada", user_id=1)
    bot.call("setMyCommands", commands=[{"command": "help", "description": "What I can do"}])
    own = {"type": "chat", "chat_id": 1}
    bot.call("setMyCommands", commands=[{"command": "retrain", "description": "Train anew"}], scope=own)
    page.goto(playground.url)
    expect(page.locator(".bubble .text")).to_have_text(["From Ben"])
    page.get_by_role("radio", name="Ada").click()
    expect(page.locator(".bubble .text")).to_have_text(["From Ada"])
    page.locator("#composer").press_sequentially("/re")
    expect(page.locator("#menu").get_by_role("option")).to_have_text(["/retrainTrain anew"])
    page.keyboard.press("Enter")
    expect(page.locator(".bubble .text").last).to_have_text("/retrain")


def test_own_messages_can_be_edited(playground: PlaygroundClient, page: Page) -> None:
    playground.message("A dull film")
    page.goto(playground.url)
    page.locator(".bubble").hover()
    page.get_by_role("button", name="Edit").click()
    page.locator("#composer").fill("A fine film")
    page.keyboard.press("Enter")
    expect(page.locator(".bubble .text")).to_have_text(["A fine film"])
    assert playground.chat()["messages"][0]["edited"]


def test_a_long_text_is_sent_in_parts(playground: PlaygroundClient, page: Page) -> None:
    page.goto(playground.url)
    page.locator("#composer").fill("It went on and on. " * 300)
    page.locator("#send").click()
    expect(page.locator(".bubble")).to_have_count(2)


def test_files_are_sent_and_shown(playground: PlaygroundClient, bot: RawBot, page: Page, tmp_path: Path) -> None:
    page.goto(playground.url)
    table = tmp_path / "reviews.csv"
    table.write_text("text\nfine\n", encoding="utf-8")
    page.locator("#file").set_input_files(table)
    expect(page.locator(".bubble .file")).to_contain_text("reviews.csv")
    page.locator("#file").set_input_files(
        {"name": "dot.gif", "mimeType": "image/gif", "buffer": b"GIF89a\1\0\1\0\0\0\0;"}
    )
    expect(page.locator(".bubble .photo")).to_have_count(1)


def test_a_text_becomes_the_caption_of_a_file(playground: PlaygroundClient, page: Page) -> None:
    page.goto(playground.url)
    page.locator("#composer").fill("A fine clip")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach").click()
        page.get_by_role("button", name="File").click()
    chooser.value.set_files({"name": "clip.mp4", "mimeType": "video/mp4", "buffer": b"clip"})
    expect(page.locator(".bubble")).to_contain_text("A fine clip")
    (message,) = playground.chat()["messages"]
    assert (message["caption"], "video" in message) == ("A fine clip", True)
    expect(page.locator("#composer")).to_have_value("")


def test_posts_are_forwarded_from_the_page(playground: PlaygroundClient, page: Page) -> None:
    page.goto(playground.url)
    page.get_by_role("button", name="Attach").click()
    page.locator("#choose-forward").click()
    page.get_by_role("textbox", name="Text").fill("x" * 4_097)
    page.get_by_label("Channel").fill("Plays")
    page.get_by_role("dialog").get_by_role("button", name="Forward").click()
    expect(page.get_by_role("alert")).to_have_text("message is too long")
    page.get_by_role("textbox", name="Text").fill("A fine play.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator(".bubble")).to_contain_text("Forwarded from Plays")
    expect(page.locator(".bubble").get_by_role("button", name="Edit")).to_have_count(0)


def test_albums_with_captions_are_sent_from_the_page(playground: PlaygroundClient, page: Page) -> None:
    page.goto(playground.url)
    page.get_by_role("button", name="Attach").click()
    page.locator("#choose-album").click()
    page.locator("#album [name=photo]").set_input_files(
        {"name": "dot.gif", "mimeType": "image/gif", "buffer": b"GIF89a\1\0\1\0\0\0\0;"}
    )
    page.get_by_label("Captions").fill("First\n\nThird")
    page.get_by_role("button", name="Send album").click()
    expect(page.locator(".bubble .photo")).to_have_count(3)
    messages = playground.chat()["messages"]
    assert [message.get("caption") for message in messages] == ["First", None, "Third"]
    assert len({message["media_group_id"] for message in messages}) == 1


def test_a_message_is_deleted_after_a_question(playground: PlaygroundClient, page: Page) -> None:
    playground.message("First")
    playground.message("Second")
    page.goto(playground.url)
    first = page.locator(".bubble").first
    first.hover()
    first.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.locator(".bubble")).to_have_count(2)
    first.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".bubble .text")).to_have_text(["Second"])
    expect(page.locator(".bubble")).to_be_focused()


def test_all_chats_are_cleared_only_after_a_question(playground: PlaygroundClient, page: Page) -> None:
    playground.message("Hello")
    page.goto(playground.url)
    clear = page.get_by_role("button", name="Clear all chats and calls")
    clear.click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert len(playground.chat()["messages"]) == 1
    clear.click()
    page.get_by_role("button", name="Clear all", exact=True).click()
    expect(page.locator(".intro")).to_be_visible()
    assert playground.chat()["messages"] == []


def test_the_tools_show_faults_and_calls(playground: PlaygroundClient, bot: RawBot, page: Page) -> None:
    page.goto(playground.url)
    page.locator("#faults-pane summary").click()
    page.locator("[data-fault='500']").check()
    expect(page.locator("#fault-count")).to_have_text("1")
    assert httpx.get(f"{playground.api_url}{playground.token}/getMe").status_code == 500
    expect(page.locator("[data-fault='500']")).not_to_be_checked()
    expect(page.locator("#calls li")).to_have_count(1)
    expect(page.locator("#calls .refused")).to_contain_text("getMe")
    page.locator("[data-fault='hang']").check()
    expect(page.locator("#fault-count")).to_have_text("1")
    page.locator("[data-fault='hang']").uncheck()
    expect(page.locator("#fault-count")).to_be_hidden()
    assert bot.call("getMe")


def test_the_page_fits_a_phone(playground: PlaygroundClient, bot: RawBot, page: Page) -> None:
    playground.message("A word of some length: " + "x" * 300)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(playground.url)
    expect(page.locator(".bubble")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    expect(page.locator("#tools")).to_be_hidden()
    page.get_by_role("button", name="Faults and calls").click()
    expect(page.locator("#tools")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#tools")).to_be_hidden()
    page.locator("#person").select_option("Cleo")
    expect(page.locator(".intro")).to_be_visible()


def test_a_reply_keyboard_sends_its_text(playground: PlaygroundClient, bot: RawBot, page: Page) -> None:
    playground.message("Hello")
    page.goto(playground.url)
    expect(page.locator(".bubble .text")).to_have_text("Hello")
    keyboard = {"keyboard": [["Yes", "No"]], "one_time_keyboard": True, "input_field_placeholder": "Yes or no?"}
    bot.call("sendMessage", chat_id=2, text="Sure?", reply_markup=keyboard)
    expect(page.locator("#composer")).to_have_attribute("placeholder", "Yes or no?")
    page.locator("#reply-keyboard").get_by_role("button", name="Yes").click()
    expect(page.locator(".bubble .text").last).to_have_text("Yes")
    expect(page.locator("#reply-keyboard")).to_be_hidden()
    asked = bot.call("sendMessage", chat_id=2, text="Why?", reply_markup={"force_reply": True})
    expect(page.locator(".bubble .text").last).to_have_text("Why?")
    page.locator("#composer").fill("Because")
    page.keyboard.press("Enter")
    expect(page.locator(".bubble .text").last).to_have_text("Because")
    assert playground.chat()["messages"][-1]["reply_to_message"]["message_id"] == asked["message_id"]
    inline = {"inline_keyboard": [[{"text": "Ask", "switch_inline_query_current_chat": "what"}]]}
    bot.call("sendMessage", chat_id=2, text="Ask me", reply_markup=inline)
    page.locator(".bubble").get_by_role("button", name="Ask").click()
    expect(page.locator("#composer")).to_have_value("@playground_bot what")


def test_another_site_cannot_frame_the_page(playground: PlaygroundClient, page: Page, tmp_path: Path) -> None:
    (tmp_path / "frame.html").write_text(f'<iframe src="{playground.url}"></iframe>', encoding="utf-8")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        Thread(target=site.serve_forever, daemon=True).start()
        page.goto(f"http://127.0.0.1:{site.server_port}/frame.html")
        assert page.frames[1].url.startswith("chrome-error:")
        site.shutdown()


def test_a_page_under_a_foreign_name_cannot_use_the_playground(playground: PlaygroundClient, page: Page) -> None:
    playground.message("A secret")
    foreign = page.goto(playground.url.replace("127.0.0.1", "rebind.example"))
    assert foreign is not None
    assert foreign.status == 403
    status = "([path, options]) => fetch(path, options).then((answer) => answer.status)"
    assert page.evaluate(status, ["/sim/chat/2", {}]) == 403
    body = {
        "method": "POST",
        "headers": {"Content-Type": "application/json"},
        "body": '{"text":"/promote","user_id":1}',
    }
    assert page.evaluate(status, ["/sim/message", body]) == 403
    assert page.evaluate("fetch('/sim/events').then((answer) => answer.status)") == 403
    assert playground.chat(1)["messages"] == []
