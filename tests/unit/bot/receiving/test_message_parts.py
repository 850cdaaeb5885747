"""How the bot recognises the pieces of a text that an app has split, and the items of an album."""

from typing import Any

import pytest
from telegram import Update

from bot.receiving.message_parts import MAX_PIECES, MIN_SPLIT_LENGTH, continues, may_continue

LONG = "a" * 4_090
PHOTO = [{"file_id": "x", "file_unique_id": "x", "width": 1, "height": 1}]


def update(kind: str = "message", sender: int = 7, at: int = 1_000, **content: Any) -> Update:
    message = {
        "message_id": 1,
        "date": at,
        "chat": {"id": 7, "type": "private"},
        "from": {"id": sender, "is_bot": False, "first_name": "Ann"},
        **content,
    }
    found = Update.de_json({"update_id": 1, kind: message}, None)
    assert found is not None
    return found


@pytest.mark.parametrize("length", [MIN_SPLIT_LENGTH, 4096])
def test_a_long_text_may_continue(length: int) -> None:
    assert may_continue([update(text="a" * length)])


@pytest.mark.parametrize(
    "other",
    [
        update(text="a" * (MIN_SPLIT_LENGTH - 1)),
        update("edited_message", text=LONG),
        update(photo=PHOTO, caption=LONG),
        update(sticker=None),
        update(text="/" + LONG),
        update(text=LONG, forward_origin={"type": "hidden_user", "date": 5, "sender_user_name": "Bo"}),
    ],
    ids=["short", "edited", "caption", "nothing", "command", "forwarded"],
)
def test_a_message_that_no_app_splits_does_not_continue(other: Update) -> None:
    assert not may_continue([other])


def test_a_text_has_a_maximum_number_of_pieces() -> None:
    assert may_continue([update(text=LONG)] * (MAX_PIECES - 1))
    assert not may_continue([update(text=LONG)] * MAX_PIECES)


def test_group_messages_are_not_reviews() -> None:
    group = {"id": -100, "type": "supergroup", "title": "Film club"}
    assert not may_continue([update(text=LONG, chat=group)])
    assert not continues(update(text=LONG), update(text="and so on", chat=group))


def forwarded(author: int) -> dict[str, Any]:
    user = {"id": author, "is_bot": False, "first_name": "Someone"}
    return {"forward_origin": {"type": "user", "date": 5, "sender_user": user}}


def test_forwarded_texts_are_never_joined() -> None:
    assert not continues(update(text=LONG, **forwarded(20)), update(text=LONG, **forwarded(20)))
    assert not continues(update(text=LONG), update(text=LONG, **forwarded(20)))
    assert not continues(update(text=LONG, **forwarded(20)), update(text=LONG))


def test_two_texts_that_fit_into_one_message_were_not_split_by_an_app() -> None:
    half = "a" * MIN_SPLIT_LENGTH
    assert may_continue([update(text=half)])
    assert not continues(update(text=half), update(text="a" * 2_000))
    assert continues(update(text=half), update(text=half))


def test_lengths_are_counted_as_the_apps_count_them() -> None:
    emoji = "😀" * (MIN_SPLIT_LENGTH // 2)
    assert may_continue([update(text=emoji)])
    assert continues(update(text=emoji), update(text=emoji))


def test_the_items_of_an_album_are_one_post() -> None:
    first, second = (update(photo=PHOTO, media_group_id="1", **item) for item in ({"caption": "Fine."}, {}))
    assert may_continue([first])
    assert continues(first, second)
    assert continues(first, update(photo=PHOTO, media_group_id="1", **forwarded(20)))
    assert not continues(first, update(photo=PHOTO, media_group_id="2"))
    assert not continues(first, update(text="and so on"))
    assert not continues(update(text=LONG), first)


@pytest.mark.parametrize("text", ["and so on", LONG, "xxxxxx"])
@pytest.mark.parametrize("later", [0, 1, 2])
def test_the_next_text_of_the_same_person_continues_at_once(text: str, later: int) -> None:
    assert continues(update(text=LONG), update(text=text, at=1_000 + later))


@pytest.mark.parametrize(
    "other",
    [
        update(text="and so on", at=1_003),
        update(text="and so on", sender=8),
        update(text="/help"),
        update("edited_message", text="and so on"),
        update(caption="and so on", photo=PHOTO),
    ],
    ids=["later", "another person", "command", "edited", "photo"],
)
def test_another_message_does_not_continue(other: Update) -> None:
    assert not continues(update(text=LONG), other)
