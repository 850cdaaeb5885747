"""Client libraries for bots work with the playground just as they do with Telegram."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    CopyTextButton,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    LinkPreviewOptions,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
    User,
    WebAppInfo,
)
from aiogram.utils.formatting import BlockQuote, Bold, Spoiler, Text, TextMention
from aiogram.utils.text_decorations import markdown_decoration
from playground_process import TOKEN, running_playground

from playground.client import PlaygroundClient

# Requests recorded from libraries in other languages, as Latin-1. All libraries sent the same texts, buttons and files.
RECORDED = json.loads(Path(__file__).with_name("recorded_requests.json").read_text(encoding="utf-8"))
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02\x08\x02\0\0\0"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaygroundClient]:
    with running_playground(tmp_path_factory.mktemp("playground")) as client:
        yield client


@pytest.fixture
def playground(server: PlaygroundClient) -> PlaygroundClient:
    """Empty the server that all tests in this module share, have a person send one message, and return the server."""
    server.reset()
    server.message("Hello")
    return server


def _aiogram(playground: PlaygroundClient, token: str = TOKEN) -> Bot:
    return Bot(token, AiohttpSession(api=TelegramAPIServer.from_base(playground.url)))


@pytest.fixture
async def bot(playground: PlaygroundClient) -> AsyncIterator[Bot]:
    async with _aiogram(playground) as bot:
        yield bot


async def test_aiogram_sends_inline_buttons_and_answers_a_tap(playground: PlaygroundClient, bot: Bot) -> None:
    rows = [
        [InlineKeyboardButton(text="Right", callback_data="r", style="success")],
        [InlineKeyboardButton(text="Copy", copy_text=CopyTextButton(text="c"))],
        [InlineKeyboardButton(text="Open", web_app=WebAppInfo(url="https://example.com"))],
        [InlineKeyboardButton(text="Ask", switch_inline_query_current_chat="")],
    ]
    keyboard = InlineKeyboardMarkup(inline_keyboard=rows)
    sent = await bot.send_message(2, "Positive", reply_markup=keyboard)
    assert sent.reply_markup.model_dump() == keyboard.model_dump()
    tapped = await asyncio.to_thread(playground.tap, sent.message_id, "Right")
    query = (await bot.get_updates())[-1].callback_query
    assert query is not None
    assert (query.id, query.data, query.message.text) == (tapped["callback_id"], "r", "Positive")
    assert await bot.answer_callback_query(query.id, "Thank you", show_alert=True)
    edited = await bot.edit_message_text("Negative", chat_id=2, message_id=sent.message_id)
    assert (edited.text, edited.reply_markup) == ("Negative", None)


async def test_aiogram_sends_reply_keyboards(playground: PlaygroundClient, bot: Bot) -> None:
    buttons = [[KeyboardButton(text="Yes"), KeyboardButton(text="Call", request_contact=True)]]
    await bot.send_message(2, "Sure?", reply_markup=ReplyKeyboardMarkup(keyboard=buttons, resize_keyboard=True))
    shown = await asyncio.to_thread(playground.chat)
    assert shown["reply_keyboard"]["keyboard"][0][0]["text"] == "Yes"
    await bot.send_message(2, "Good", reply_markup=ReplyKeyboardRemove())
    await bot.send_message(2, "Why?", reply_markup=ForceReply(input_field_placeholder="Because"))
    shown = await asyncio.to_thread(playground.chat)
    assert shown["reply_keyboard"]["input_field_placeholder"] == "Because"


async def test_aiogram_sends_and_downloads_files(playground: PlaygroundClient, bot: Bot) -> None:
    sent = await bot.send_document(
        2, BufferedInputFile(b"a,b\n", "votes.csv"), caption="*Votes*", parse_mode="MarkdownV2"
    )
    assert sent.document is not None
    assert (sent.document.file_name, sent.caption, sent.caption_entities[0].type) == ("votes.csv", "Votes", "bold")
    thumbnail = BufferedInputFile(PNG, "thumbnail.png")
    again = await bot.send_document(2, sent.document.file_id, thumbnail=thumbnail)
    assert again.document.file_id == sent.document.file_id
    downloaded = await bot.download(sent.document)
    assert downloaded.read() == b"a,b\n"
    photo = await bot.send_photo(2, BufferedInputFile(PNG, "chart.png"), has_spoiler=True)
    assert (photo.photo[-1].width, photo.has_media_spoiler) == (3, True)
    with pytest.raises(TelegramEntityTooLarge, match="Request Entity Too Large"):
        await bot.send_document(2, BufferedInputFile(b"x" * (51 * 1024 * 1024), "large.bin"))


async def test_aiogram_formats_texts(playground: PlaygroundClient, bot: Bot) -> None:
    cleo = User(id=3, is_bot=False, first_name="Somebody")
    text = Text(Bold("1.5"), " ", Spoiler("x_y"), " ", TextMention("Ben", user=cleo), "\n", BlockQuote("so"))
    sent = await bot.send_message(2, **text.as_kwargs())
    assert [entity.type for entity in sent.entities] == ["bold", "spoiler", "text_mention", "blockquote"]
    assert sent.entities[2].user.first_name == "Cleo"
    for mode, source in (("HTML", sent.html_text), ("MarkdownV2", sent.md_text)):
        assert (await bot.send_message(2, source, parse_mode=mode)).entities == sent.entities, mode
    everything = "".join(map(chr, range(33, 127)))
    quoted = await bot.send_message(2, markdown_decoration.quote(everything), parse_mode="MarkdownV2")
    assert quoted.text == everything


async def test_aiogram_replies(playground: PlaygroundClient, bot: Bot) -> None:
    first = (await asyncio.to_thread(playground.chat))["messages"][0]["message_id"]
    new = await bot.send_message(
        2,
        "https://example.com",
        reply_parameters=ReplyParameters(message_id=first),
        link_preview_options=LinkPreviewOptions(is_disabled=True),
    )
    old = await bot.send_message(2, "https://example.com", reply_to_message_id=first, disable_web_page_preview=True)
    for sent in (new, old):
        assert sent.reply_to_message.text == "Hello"
        assert sent.link_preview_options.is_disabled


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("400", TelegramBadRequest, "told to refuse"),
        ("401", TelegramUnauthorizedError, "Unauthorized"),
        ("403", TelegramForbiddenError, "Forbidden: bot was blocked by the user"),
        ("409", TelegramConflictError, "Conflict: terminated by other getUpdates request"),
        ("429", TelegramRetryAfter, "Too Many Requests: retry after 3"),
        ("500", TelegramServerError, "Internal Server Error"),
    ],
)
async def test_aiogram_names_every_fault(
    playground: PlaygroundClient, bot: Bot, fault: str, error: type[TelegramAPIError], words: str
) -> None:
    await asyncio.to_thread(playground.fault, fault, "sendMessage")
    with pytest.raises(error, match=words):
        await bot.send_message(2, "Hi")


async def test_aiogram_reads_refusals(playground: PlaygroundClient, bot: Bot) -> None:
    with pytest.raises(TelegramBadRequest, match="Bad Request: chat not found"):
        await bot.send_message(99, "Hi")
    with pytest.raises(TelegramBadRequest, match="Bad Request: message text is empty"):
        await bot.send_message(2, "")
    with pytest.raises(TelegramBadRequest, match=r"Bad Request: can't parse entities: Character '\.' is reserved"):
        await bot.send_message(2, "1.5", parse_mode="MarkdownV2")
    with pytest.raises(TelegramBadRequest, match="Bad Request: BOT_COMMAND_INVALID"):
        await bot.set_my_commands([BotCommand(command="Bad", description="x")])
    button = InlineKeyboardButton(text="a", callback_data="x" * 65)
    with pytest.raises(TelegramBadRequest, match="Bad Request: BUTTON_DATA_INVALID"):
        await bot.send_message(2, "a", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button]]))
    with pytest.raises(TelegramBadRequest, match="Webhook can be set up only on ports 80, 88, 443 or 8443"):
        await bot.set_webhook("https://example.com:1234/x")
    with pytest.raises(TelegramServerError, match="Not Implemented: the playground does not support method sendDice"):
        await bot.send_dice(2)
    async with _aiogram(playground, "7654321:wrong") as stranger:
        with pytest.raises(TelegramUnauthorizedError):
            await stranger.get_me()


def test_telebot_sends_buttons_and_files_and_reads_refusals(playground: PlaygroundClient) -> None:
    telebot = pytest.importorskip("telebot")
    types, error = telebot.types, telebot.apihelper.ApiTelegramException
    telebot.apihelper.API_URL = f"{playground.url}/bot{{0}}/{{1}}"
    telebot.apihelper.FILE_URL = f"{playground.url}/file/bot{{0}}/{{1}}"
    bot = telebot.TeleBot(TOKEN, threaded=False)
    keyboard = types.InlineKeyboardMarkup([[types.InlineKeyboardButton("Right", callback_data="r")]])
    sent = bot.send_message(2, "*Positive*", parse_mode="MarkdownV2", reply_markup=keyboard)
    assert (sent.text, sent.entities[0].type, sent.reply_markup.to_dict()) == ("Positive", "bold", keyboard.to_dict())
    playground.tap(sent.message_id, "Right")
    query = bot.get_updates()[-1].callback_query
    assert query.data == "r"
    assert bot.answer_callback_query(query.id, "Thank you")
    reply = types.ReplyKeyboardMarkup(resize_keyboard=True, one_time_keyboard=True).add("Yes", "No")
    bot.send_message(2, "Sure?", reply_markup=reply, reply_to_message_id=sent.message_id)
    shown = playground.chat()
    assert shown["messages"][-1]["reply_to_message"]["message_id"] == sent.message_id
    assert [button["text"] for button in shown["reply_keyboard"]["keyboard"][0]] == ["Yes", "No"]
    document = bot.send_document(2, ("votes.csv", b"a,b"), caption="Votes").document
    assert bot.download_file(bot.get_file(document.file_id).file_path) == b"a,b"
    for chat_id, text, words in ((99, "Hi", "chat not found"), (2, "<b>", "can't find end tag"), (2, "", "is empty")):
        with pytest.raises(error, match=f"(?i)Error code: 400. Description: Bad Request: .*{words}"):
            bot.send_message(chat_id, text, parse_mode="HTML")
    playground.fault("429", "sendMessage", retry_after=7)
    with pytest.raises(error) as caught:
        bot.send_message(2, "Hi")
    assert caught.value.result_json["parameters"] == {"retry_after": 7}


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: f"{recorded['client']} {recorded['sends']}")
def test_requests_of_other_libraries_are_answered(playground: PlaygroundClient, recorded: dict[str, Any]) -> None:
    body = recorded["body"].encode("latin-1").replace(b'"reply_to_message_id":1', _reply_to_the_first(playground))
    answer = httpx.post(
        f"{playground.api_url}{TOKEN}/{recorded['path']}",
        content=body,
        headers={"Content-Type": recorded["content_type"]},
    ).json()
    assert answer.get("description") == recorded["refusal"]
    sent = playground.chat()["messages"][1:]
    assert [message["message_id"] for message in sent] == ([answer["result"]["message_id"]] if answer["ok"] else [])
    match recorded["sends"]:
        case "inline buttons":
            assert playground.tap(sent[0]["message_id"], "Right")["update_id"]
        case "an upload":
            assert (sent[0]["document"]["file_name"], sent[0]["document"]["file_size"]) == ("a.csv", 1)
        case "an older reply":
            assert sent[0]["reply_to_message"]["text"] == "Hello"


def _reply_to_the_first(playground: PlaygroundClient) -> bytes:
    return f'"reply_to_message_id":{playground.chat()["messages"][0]["message_id"]}'.encode()
