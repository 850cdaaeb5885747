"""A review is read wherever it appears in a post, and each post gets one answer."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.receiving.message_parts import MIN_SPLIT_LENGTH
from bot.texts import texts_for
from storage.chat import messages
from storage.db.database import Database, UnitOfWork
from storage.db.tables import MessageRow
from tests.conversation import Conversation, conversation

GOOD, BAD = "A fine play, and I would see it again.", "A dull play, and I left before the end."
FILE = {"file_id": "x", "file_unique_id": "y"}
PHOTO = {"photo": [{**FILE, "width": 1, "height": 1}]}
CARRIERS: dict[str, dict[str, Any]] = {
    "photo": PHOTO,
    "video": {"video": {**FILE, "width": 1, "height": 1, "duration": 1}},
    "document": {"document": FILE},
    "audio": {"audio": {**FILE, "duration": 1}},
    "voice": {"voice": {**FILE, "duration": 1}},
    "animation": {"animation": {**FILE, "width": 1, "height": 1, "duration": 1}, "document": FILE},
}
TEXTS = texts_for("en")


@pytest.fixture
async def chat(database: Database, tmp_path: Path) -> AsyncIterator[Conversation]:
    async with conversation(database, tmp_path) as started:
        yield started


def answers(chat: Conversation) -> list[str]:
    """Return the labels and refusals in the bot's messages, without markup."""
    lines = [payload["text"].partition("\n")[0] for payload in chat.shown.values()]
    return [next((label for label in ("Positive", "Negative") if label in line), line) for line in lines]


async def stored(chat: Conversation) -> list[str]:
    def work(unit: UnitOfWork) -> list[str]:
        return list(messages.get_texts(unit, [row.id for row in unit.query(MessageRow)]).values())

    return await chat.database.read(work)


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_a_caption_is_as_good_as_a_text(chat: Conversation, carrier: str) -> None:
    await chat.send({**CARRIERS[carrier], "caption": BAD})
    assert answers(chat) == ["Negative"]


async def test_an_edited_caption_gets_its_verdict_edited(chat: Conversation) -> None:
    (number,) = await chat.send({**PHOTO, "caption": GOOD})
    await chat.edit(number, {**PHOTO, "caption": BAD})
    assert answers(chat) == ["Negative"]
    await chat.edit(number, PHOTO)
    assert answers(chat) == [TEXTS.empty], "the review is gone"


async def test_a_text_that_is_edited_into_a_photo_gets_its_verdict_edited(chat: Conversation) -> None:
    number = await chat.write(GOOD)
    await chat.edit(number, {**PHOTO, "caption": BAD})
    assert answers(chat) == ["Negative"]


async def test_a_photo_that_gets_a_caption_gets_its_verdict_in_place_of_the_refusal(chat: Conversation) -> None:
    (number,) = await chat.send(PHOTO)
    assert answers(chat) == [TEXTS.photo]
    await chat.edit(number, {**PHOTO, "caption": BAD})
    assert answers(chat) == ["Negative"]


async def test_an_edit_that_has_no_text_and_no_earlier_text_gets_no_answer(chat: Conversation) -> None:
    place = {"location": {"latitude": 1.0, "longitude": 1.0, "live_period": 60}}
    (number,) = await chat.send(place)
    await chat.edit(number, {"location": {"latitude": 1.0, "longitude": 2.0, "live_period": 60}})
    assert answers(chat) == [TEXTS.other_content]


async def test_an_album_is_one_post(chat: Conversation) -> None:
    group = {"media_group_id": "5"}
    numbers = await chat.send({**PHOTO, **group}, {**PHOTO, **group, "caption": GOOD}, {**PHOTO, **group})
    assert answers(chat) == ["Positive"]
    assert await stored(chat) == [GOOD]
    await chat.edit(numbers[1], {**PHOTO, **group, "caption": BAD})
    assert answers(chat) == ["Negative"]
    await chat.edit(numbers[2], {**PHOTO, **group, "caption": "It was long, too."})
    assert answers(chat) == ["Negative"]
    assert (await stored(chat))[-1] == f"{BAD}\nIt was long, too."


async def test_an_album_without_captions_is_refused_once(chat: Conversation) -> None:
    await chat.send(*[{**PHOTO, "media_group_id": "6"}] * 3)
    assert answers(chat) == [TEXTS.photo]


async def test_two_posts_that_are_forwarded_together_are_two_reviews(chat: Conversation) -> None:
    channel = {"id": -1_001, "type": "channel", "title": "Plays"}
    long = f"{GOOD} " * (4_000 // len(GOOD))
    posts = [
        {"text": text, "forward_origin": {"type": "channel", "date": 5, "chat": channel, "message_id": number}}
        for number, text in enumerate((long, BAD), 411)
    ]
    await chat.send(*posts)
    assert answers(chat) == ["Positive", "Negative"]


async def test_two_own_texts_that_no_app_split_are_two_reviews(chat: Conversation) -> None:
    long = f"{GOOD} " * (MIN_SPLIT_LENGTH // len(GOOD) + 1)
    await chat.send({"text": long}, {"text": BAD})
    assert answers(chat) == ["Positive", "Negative"]


async def test_the_pieces_of_one_long_text_are_one_review(chat: Conversation) -> None:
    long = f"{GOOD} " * (4_000 // len(GOOD))
    await chat.send({"text": long}, {"text": f"{BAD} " * 10})
    assert answers(chat) == ["Negative"]
    assert len(await stored(chat)) == 1
