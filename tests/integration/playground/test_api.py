"""The real server over HTTP, called by python-telegram-bot's client."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from playground_process import TOKEN, StartPlayground
from telegram import Bot, BotCommandScopeChat, InlineKeyboardButton, InlineKeyboardMarkup, InputFile, ReplyParameters
from telegram.error import BadRequest, Conflict, InvalidToken

from playground.client import PlaygroundClient
from playground.errors import PlaygroundRefused

BUTTONS = InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=label[0]) for label in ("Right", "Wrong")]])
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02\x08\x02\0\0\0"


@pytest.fixture
async def bot(playground: PlaygroundClient) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, base_url=playground.api_url, base_file_url=playground.file_url) as bot:
        yield bot


async def test_a_message_arrives_by_long_poll_and_is_answered(playground: PlaygroundClient, bot: Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=20))
    assert await asyncio.to_thread(lambda: playground.status(wait=10)["bot"]["polling"])
    sent = await asyncio.to_thread(playground.message, "/start now", user_id=3)
    (update,) = await poll
    assert update.update_id == sent["update_id"]
    assert update.message.from_user.first_name == "Cleo"
    assert update.message.parse_entities(["bot_command"]).popitem()[1] == "/start"

    answer = await bot.send_message(3, "<b>Hi</b>", "HTML", reply_markup=BUTTONS, reply_parameters=ReplyParameters(1))
    assert answer.message_id == sent["message_id"] + 1
    shown = playground.chat(3)["messages"][-1]
    assert (shown["text"], shown["from_bot"], shown["edited"]) == ("Hi", True, False)
    assert shown["entities"] == [{"type": "bold", "offset": 0, "length": 2}]
    assert shown["reply_to_message"]["text"] == "/start now"
    assert [button["text"] for button in shown["buttons"][0]] == ["Right", "Wrong"]
    assert await bot.get_updates(offset=update.update_id + 1, timeout=0) == ()
    assert playground.status()["pending_updates"] == 0


async def test_a_tap_is_answered_once_and_the_message_edited(playground: PlaygroundClient, bot: Bot) -> None:
    playground.message("A warm film.")
    message = await bot.send_message(2, "Positive", reply_markup=BUTTONS)
    tapped = playground.tap(message.message_id, "Wrong")
    query = (await bot.get_updates())[-1].callback_query
    assert (query.id, query.data, query.message.text) == (tapped["callback_id"], "W", "Positive")
    assert await query.answer("Thank you")
    with pytest.raises(BadRequest, match="Query is too old"):
        await query.answer()
    await query.edit_message_text("Negative")
    shown = playground.chat()["messages"][-1]
    assert (shown["text"], shown["edited"], shown["buttons"]) == ("Negative", True, [])
    with pytest.raises(PlaygroundRefused, match="no such button"):
        playground.tap(message.message_id, "Wrong")
    await bot.edit_message_reply_markup(2, message.message_id, reply_markup=BUTTONS)
    assert playground.tap(message.message_id, data="R")["update_id"] == tapped["update_id"] + 1


async def test_the_call_log_has_every_call_in_order(playground: PlaygroundClient, bot: Bot) -> None:
    playground.message("Hello")
    seen = playground.outbox()[-1]["seq"]
    waiting = asyncio.create_task(asyncio.to_thread(playground.outbox, seen, 20))
    await bot.send_message(2, "[1, 2]", reply_markup=BUTTONS)
    (call,) = await waiting
    assert (call["seq"], call["method"], call["ok"], call["result"]["text"]) == (
        seen + 1,
        "sendMessage",
        True,
        "[1, 2]",
    )
    assert call["params"] == {"chat_id": 2, "text": "[1, 2]", "reply_markup": BUTTONS.to_dict()}
    with pytest.raises(BadRequest):
        await bot.send_message(99, "Hello")
    (refused,) = playground.outbox(since=call["seq"])
    assert (refused["ok"], refused["result"]["description"]) == (False, "Bad Request: chat not found")


async def test_an_edit_by_the_person_is_a_separate_update(playground: PlaygroundClient, bot: Bot) -> None:
    sent = playground.message("A dull film")
    playground.edit(sent["message_id"], "A fine film")
    with pytest.raises(PlaygroundRefused, match="not modified"):
        playground.edit(sent["message_id"], "A fine film")
    first, second = await bot.get_updates()
    assert (first.message.text, second.edited_message.text) == ("A dull film", "A fine film")
    assert second.edited_message.edit_date is not None


async def test_a_pasted_text_arrives_in_parts(playground: PlaygroundClient, bot: Bot) -> None:
    text = "It went on and on. " * 500
    with pytest.raises(PlaygroundRefused, match="too long"):
        playground.message(text)
    sent = playground.paste(text)
    updates = await bot.get_updates()
    assert [update.update_id for update in updates] == [part["update_id"] for part in sent]
    assert len(updates) == 3
    assert " ".join(update.message.text for update in updates) == text.strip()


async def test_files_are_sent_in_both_directions(playground: PlaygroundClient, bot: Bot) -> None:
    playground.document("reviews.csv", b"text\nfine\n", caption="Mine")
    playground.photo("poster.png", PNG)
    playground.voice(duration=4)
    playground.sticker("👎")
    document, photo, voice, sticker = [update.message for update in await bot.get_updates()]
    assert (document.document.file_name, document.caption) == ("reviews.csv", "Mine")
    assert bytes(await (await document.document.get_file()).download_as_bytearray()) == b"text\nfine\n"
    assert (photo.photo[-1].width, photo.photo[-1].height) == (3, 2)
    assert (voice.voice.duration, sticker.sticker.emoji) == (4, "👎")

    sent = await bot.send_document(2, InputFile(b"label\n", "labels.csv"), caption="<i>Done</i>", parse_mode="HTML")
    assert (sent.document.file_name, sent.caption) == ("labels.csv", "Done")
    again = await bot.send_document(2, sent.document.file_id)
    assert again.document.file_id == sent.document.file_id
    chart = await bot.send_photo(2, PNG, has_spoiler=True)
    assert (chart.photo[0].width, chart.has_media_spoiler) == (3, True)
    with pytest.raises(BadRequest, match=r"(?i)image_process_failed"):
        await bot.send_photo(2, b"not an image")
    with pytest.raises(BadRequest, match="no text in the message to edit"):
        await bot.edit_message_text("x", 2, sent.message_id)


async def test_the_bot_sets_its_commands_and_texts(playground: PlaygroundClient, bot: Bot) -> None:
    playground.message("Hello", user_id=1)
    await bot.set_my_commands([("start", "Begin"), ("help", "What I can do")])
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.set_my_commands([("retrain", "Train anew")], scope=BotCommandScopeChat(3))
    await bot.set_my_commands([("retrain", "Train anew")], scope=BotCommandScopeChat(1))
    assert [command.command for command in await bot.get_my_commands()] == ["start", "help"]
    assert [command.command for command in await bot.get_my_commands(BotCommandScopeChat(1))] == ["retrain"]
    await bot.delete_my_commands(BotCommandScopeChat(1))
    assert await bot.get_my_commands(BotCommandScopeChat(1)) == ()
    await bot.set_my_description("Everything")
    await bot.set_my_short_description("Little")
    await bot.set_my_name("Thumbs up")
    assert (await bot.get_my_description("de")).description == "Everything"
    assert (await bot.get_my_short_description()).short_description == "Little"
    assert (await bot.get_me()).first_name == "Thumbs up"
    assert (await bot.get_chat(1)).first_name == "Ada (admin)"


async def test_the_bot_is_shown_as_typing_until_it_writes(playground: PlaygroundClient, bot: Bot) -> None:
    playground.message("Hello")
    await bot.send_chat_action(2, "typing")
    assert playground.chat()["typing"]
    await bot.send_message(2, "Hi")
    assert not playground.chat()["typing"]


async def test_messages_can_be_deleted(playground: PlaygroundClient, bot: Bot) -> None:
    playground.message("One")
    sent = await bot.send_message(2, "Two")
    await bot.delete_message(2, sent.message_id)
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(2, sent.message_id)
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(2, "x", reply_parameters=ReplyParameters(sent.message_id))
    allowed = ReplyParameters(sent.message_id, allow_sending_without_reply=True)
    assert (await bot.send_message(2, "x", reply_parameters=allowed)).reply_to_message is None
    assert await bot.delete_messages(2, [1, 77])
    assert [message["text"] for message in playground.chat()["messages"]] == ["x"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"text": "x" * 4097}, "Message is too long"),
        ({"text": f"{'x' * 4000}&lt;{'x' * 96}", "parse_mode": "HTML"}, "Message is too long"),
        ({"text": " \n "}, "Message text is empty"),
        ({"text": "<b></b>", "parse_mode": "HTML"}, "Message text is empty"),
        ({"text": "<b>x", "parse_mode": "HTML"}, "Can't parse entities: can't find end tag"),
        ({"text": "x", "parse_mode": "Word"}, "Unsupported parse_mode"),
        ({"text": "x", "api_kwargs": {"disable_web_page_preview": "maybe"}}, "Boolean expected"),
        ({"text": "x", "api_kwargs": {"disable_notification": "maybe"}}, "Boolean expected"),
    ],
)
async def test_messages_that_telegram_refuses_are_refused(
    playground: PlaygroundClient, bot: Bot, values: dict, reason: str
) -> None:
    playground.message("Hello")
    with pytest.raises(BadRequest, match=f"(?i){reason}"):
        await bot.send_message(2, **values)
    assert len(playground.chat()["messages"]) == 1


async def test_the_longest_text_passes(playground: PlaygroundClient, bot: Bot) -> None:
    playground.message("Hello")
    sent = await bot.send_message(2, f"<b>{'&amp;' * 4096}</b>", parse_mode="HTML")
    assert sent.text == "&" * 4096


async def test_edits_are_checked(playground: PlaygroundClient, bot: Bot) -> None:
    own = playground.message("Hello")
    sent = await bot.send_message(2, "Hi", reply_markup=BUTTONS)
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_text("Hi", 2, sent.message_id, reply_markup=BUTTONS)
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_reply_markup(2, sent.message_id, reply_markup=BUTTONS)
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", 2, own["message_id"])
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("x", 2, 99)
    assert (await bot.edit_message_text("Hi", 2, sent.message_id)).reply_markup is None


async def test_a_second_poll_ends_the_first(playground: PlaygroundClient, bot: Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=30))
    await asyncio.to_thread(playground.status, wait=10)
    async with Bot(TOKEN, base_url=playground.api_url) as other:
        second = asyncio.create_task(other.get_updates(timeout=30))
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await first
        playground.message("Hello")
        assert (await second)[0].message.text == "Hello"


async def test_updates_stay_pending_until_they_are_confirmed(playground: PlaygroundClient, bot: Bot) -> None:
    for text in ("one", "two", "three"):
        playground.message(text)
    assert [update.message.text for update in await bot.get_updates(limit=2)] == ["one", "two"]
    assert len(await bot.get_updates()) == 3
    (last,) = await bot.get_updates(offset=-1)
    assert last.message.text == "three"
    assert await bot.get_updates(offset=last.update_id + 1) == ()


async def test_only_wanted_kinds_are_delivered(playground: PlaygroundClient, bot: Bot) -> None:
    await bot.get_updates(allowed_updates=["callback_query"])
    assert playground.message("Hello")["update_id"] is None
    await bot.get_updates(allowed_updates=[])
    assert playground.message("Hello")["update_id"] is not None


async def test_a_wrong_token_is_unauthorized(playground: PlaygroundClient) -> None:
    with pytest.raises(InvalidToken, match="rejected by the server"):
        await Bot(f"{TOKEN}x", base_url=playground.api_url).initialize()
    answer = httpx.get(f"{playground.api_url}1:x/getMe")
    assert (answer.status_code, answer.json()) == (401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
    assert httpx.get(f"{playground.file_url}1:x/documents/file_1").status_code == 401


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("sendPoll", 501),
        ("SENDPOLL", 501),
        ("sendRichMessage", 501),
        ("editEphemeralMessageText", 501),
        ("answerChatJoinRequestQuery", 501),
        ("sendPol", 404),
        ("getme", 200),
    ],
)
def test_unknown_and_missing_methods_differ_in_status(playground: PlaygroundClient, name: str, status: int) -> None:
    answer = httpx.get(f"{playground.api_url}{TOKEN}/{name}")
    assert (answer.status_code, answer.json()["ok"]) == (status, status == 200)
    assert status != 501 or name.lower() in answer.json()["description"].lower()


def test_parameters_are_read_from_every_kind_of_body(playground: PlaygroundClient) -> None:
    playground.message("Hello")
    url = f"{playground.api_url}{TOKEN}/sendMessage"
    values = {"chat_id": "2", "text": "Hi "}
    answers = [
        httpx.get(url, params=values),
        httpx.post(url, params={"chat_id": "2"}, data={"text": "Hi"}),
        httpx.post(url, json={"chat_id": 2, "text": "Hi"}),
        httpx.post(url, files={name: (None, value) for name, value in values.items()}),
    ]
    assert [answer.json()["result"]["text"] for answer in answers] == ["Hi"] * 4
    broken = httpx.post(url, content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["description"]) == (400, "Bad Request: can't parse the body as JSON")
    assert httpx.post(url, data={"chat_id": b"2", "text": b"\xff"}).json()["error_code"] == 400


async def test_ids_and_pending_updates_survive_a_restart(start_playground: StartPlayground) -> None:
    playground = start_playground()
    before = playground.message("Before")
    async with Bot(TOKEN, base_url=playground.api_url) as bot:
        await bot.set_my_commands([("start", "Begin")])
        sent = await bot.send_message(2, "Hi", reply_markup=BUTTONS)
    callback_id = playground.tap(sent.message_id, "Right")["callback_id"]

    playground = start_playground()
    after = playground.message("After")
    assert after["message_id"] == sent.message_id + 1
    assert after["update_id"] == before["update_id"] + 2
    async with Bot(TOKEN, base_url=playground.api_url) as bot:
        kinds = [update.message and update.message.text for update in await bot.get_updates()]
        assert kinds == ["Before", None, "After"]
        assert [command.command for command in await bot.get_my_commands()] == ["start"]
        with pytest.raises(BadRequest, match="Query is too old"):
            await bot.answer_callback_query(callback_id)
        again = await bot.send_message(2, "Hi", reply_markup=BUTTONS)
    assert int(playground.tap(again.message_id, "Right")["callback_id"]) == int(callback_id) + 1


def test_a_reset_keeps_the_counters_of_ids(playground: PlaygroundClient) -> None:
    before = playground.message("Before")
    playground.fault("500")
    playground.reset()
    assert playground.chat()["messages"] == []
    assert playground.status()["pending_updates"] == 0
    after = playground.message("After")
    assert (after["message_id"], after["update_id"]) == (before["message_id"] + 1, before["update_id"] + 1)
    assert httpx.get(f"{playground.api_url}{TOKEN}/getMe").status_code == 200
