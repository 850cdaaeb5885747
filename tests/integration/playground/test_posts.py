"""Forwards, albums, captions, edits and deletions reach the bot as they do on Telegram."""

import json
from typing import Any

import httpx
import pytest

from playground.client import PlaygroundClient
from playground.errors import PlaygroundRefused

# A PNG header is enough, because the playground reads only the size.
IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(8) + (1).to_bytes(4, "big") * 2


def updates(playground: PlaygroundClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{playground.api_url}{playground.token}/getUpdates").json()["result"]
    return found


def test_a_forward_names_its_channel_and_post_and_cannot_be_edited(playground: PlaygroundClient) -> None:
    sent = playground.forward("A fine play.", channel="Plays", post=41)
    message = updates(playground)[0]["message"]
    assert message["text"] == "A fine play."
    origin = message["forward_origin"]
    assert (origin["type"], origin["chat"]["title"], origin["message_id"]) == ("channel", "Plays", 41)
    with pytest.raises(PlaygroundRefused, match="message can't be edited"):
        playground.edit(sent["message_id"], "A dull play.")


def test_the_items_of_an_album_share_one_group(playground: PlaygroundClient) -> None:
    playground.album(IMAGE, ["", "A fine play.", ""])
    messages = [update["message"] for update in updates(playground)]
    assert [message.get("caption") for message in messages] == [None, "A fine play.", None]
    assert len({message["media_group_id"] for message in messages}) == 1
    with pytest.raises(PlaygroundRefused, match="2 to 10 items"):
        playground.album(IMAGE, ["alone"])


def test_media_have_captions(playground: PlaygroundClient) -> None:
    playground.video(caption="A fine play.")
    playground.voice(caption="A dull play.")
    video, voice = (update["message"] for update in updates(playground))
    assert (video["caption"], video["video"]["duration"]) == ("A fine play.", 1)
    assert (voice["caption"], voice["voice"]["duration"]) == ("A dull play.", 1)


def test_a_text_can_become_a_captioned_image_and_lose_its_caption(playground: PlaygroundClient) -> None:
    number = playground.message("A fine play.")["message_id"]
    playground.edit(number, "A dull play.", photo=IMAGE)
    playground.edit(number, "")
    _, captioned, bare = updates(playground)
    assert captioned["edited_message"]["caption"] == "A dull play."
    assert "text" not in captioned["edited_message"]
    assert bare["edited_message"]["photo"] == captioned["edited_message"]["photo"]
    assert "caption" not in bare["edited_message"]
    with pytest.raises(PlaygroundRefused, match="caption is too long"):
        playground.edit(number, "a" * 1_025)


def test_the_bot_is_not_notified_of_a_deletion_and_cannot_quote_or_edit_what_is_gone(
    playground: PlaygroundClient,
) -> None:
    number = playground.message("A fine play.")["message_id"]
    api = httpx.Client(base_url=f"{playground.api_url}{playground.token}")
    shown = api.post("/sendMessage", json={"chat_id": 2, "text": "Hello"}).json()["result"]["message_id"]
    for gone in (number, shown):
        playground.delete(gone)
    assert [json.dumps(update) for update in updates(playground) if "message" not in update] == []
    assert playground.chat()["messages"] == []
    reply = {"chat_id": 2, "text": "Fine", "reply_parameters": {"message_id": number}}
    assert "message to be replied not found" in api.post("/sendMessage", json=reply).json()["description"]
    edit = {"chat_id": 2, "message_id": shown, "text": "Fine"}
    assert "message to edit not found" in api.post("/editMessageText", json=edit).json()["description"]
