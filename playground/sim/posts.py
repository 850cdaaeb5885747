"""People's actions on posts: forwarding, sending albums, editing and deleting."""

import time
from collections.abc import Sequence
from dataclasses import replace

from playground.api.media import photo_object
from playground.sim.actions import SentMessage, find_message, format_caption, format_text, send
from playground.state.world import World
from playground.wire import JsonObject, Upload, bad_request

_ALBUM_SIZES = range(2, 11)
_CHANNEL_ID = -1_001_000_000_001
_GROUP_ID = "media_group_id"
_ORIGIN = "forward_origin"


def forward(world: World, user_id: int, text: str, channel: str, post: int) -> SentMessage:
    """Forward the text of the post with the id ``post`` from a channel with this title, or raise ApiError."""
    chat = {"id": _CHANNEL_ID, "type": "channel", "title": channel}
    origin = {"type": "channel", "date": int(time.time()), "chat": chat, "message_id": post}
    return send(world, user_id, format_text(text), {}, extras={_ORIGIN: origin})


def send_album(world: World, user_id: int, upload: Upload, captions: Sequence[str]) -> list[SentMessage]:
    """Send an album that repeats one image, once for each caption, or raise ApiError. Captions may be empty."""
    if len(captions) not in _ALBUM_SIZES:
        raise bad_request("an album has 2 to 10 items")
    bodies, photo = [format_caption(caption) for caption in captions], photo_object(world, upload)
    group = {_GROUP_ID: str(time.time_ns())}
    return [send(world, user_id, body, {"photo": photo}, extras=group) for body in bodies]


def edit(world: World, user_id: int, message_id: int, text: str, photo: Upload | None) -> SentMessage:
    """Change the text or caption of the person's own message, and its media if ``photo`` is given, or raise ApiError.

    A caption can be empty.
    """
    chat = world.chats.open(user_id)
    message = find_message(chat, message_id)
    if message.sender.is_bot or _ORIGIN in message.extras:
        raise bad_request("message can't be edited")
    media = message.media if photo is None else {"photo": photo_object(world, photo)}
    body = format_caption(text) if media else format_text(text)
    if (body, media) == (message.body, message.media):
        raise bad_request("message is not modified")
    edited = replace(message, body=body, media=media, edit_date=int(time.time()))
    world.put(chat, edited, "edit")
    return SentMessage(edited, world.updates.push("edited_message", edited.to_api()))


def delete(world: World, user_id: int, message_id: int) -> JsonObject:
    """Delete a message without notifying the bot, or raise ApiError."""
    chat = world.chats.open(user_id)
    world.remove(chat, find_message(chat, message_id).message_id)
    return {"message_id": message_id, "chat_id": chat.id, "update_id": None}
