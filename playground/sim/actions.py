"""People's actions: writing, tapping and sending files. Each action changes the chat and enqueues an update."""

import time
from dataclasses import dataclass

from playground.api.media import document_object, photo_object
from playground.state.chats import Chat
from playground.state.message import Message
from playground.state.people import find_person
from playground.state.world import World
from playground.text.entities import FormattedText, utf16_length
from playground.text.message_splitting import MESSAGE_LIMIT, split_like_apps
from playground.wire import ApiError, JsonObject, Upload, bad_request


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that a person sent or edited. ``update_id`` is None if the bot does not want such updates."""

    message: Message
    update_id: int | None

    def to_json(self) -> JsonObject:
        """Return the response for ``/sim`` calls."""
        message = self.message.to_json()
        ids = {"message_id": self.message.message_id, "chat_id": message["chat"]["id"], "update_id": self.update_id}
        return {**ids, "message": message}


def write(world: World, user_id: int, text: str, reply_to: int | None = None) -> SentMessage:
    """Send a text of up to 4,096 UTF-16 code units, or raise ApiError."""
    return send(world, user_id, format_text(text), {}, reply_to)


def paste(world: World, user_id: int, text: str, reply_to: int | None = None) -> list[SentMessage]:
    """Send a text of any length, split into consecutive messages the way Telegram's apps do, or raise ApiError."""
    parts = split_like_apps(text)
    if not parts:
        raise bad_request("message text is empty")
    first = write(world, user_id, parts[0], reply_to)
    return [first, *(write(world, user_id, part) for part in parts[1:])]


def tap(world: World, user_id: int, message_id: int, *, label: str | None, data: str | None) -> JsonObject:
    """Tap the button with this label or data on a message, or raise ApiError if there is no such button."""
    chat = world.chats.open(user_id)
    message = find_message(chat, message_id)
    buttons = [button for row in message.to_json()["buttons"] for button in row]
    matching = [b for b in buttons if label in (None, b["text"]) and data in (None, b.get("callback_data"))]
    if (label, data) == (None, None) or not matching:
        known = ", ".join(repr(button["text"]) for button in buttons) or "none"
        raise bad_request(f"message {message_id} has no such button; its buttons are: {known}")
    if "callback_data" not in matching[0]:
        raise bad_request(f"the button {matching[0]['text']!r} does not send anything to the bot")
    query = world.callbacks.add(user_id, chat.id)
    update_id = world.updates.push(
        "callback_query",
        {
            "id": query.id,
            "from": chat.person.to_api(),
            "message": message.to_api(),
            "chat_instance": str(chat.id),
            "data": matching[0]["callback_data"],
        },
    )
    return {"callback_id": query.id, "chat_id": chat.id, "message_id": message_id, "update_id": update_id}


def send_document(world: World, user_id: int, upload: Upload, caption: str) -> SentMessage:
    """Send a file."""
    return send(world, user_id, format_caption(caption), {"document": document_object(world, upload)})


def send_photo(world: World, user_id: int, upload: Upload, caption: str) -> SentMessage:
    """Send an image, or raise ApiError if the file is not an image."""
    return send(world, user_id, format_caption(caption), {"photo": photo_object(world, upload)})


def send_voice(world: World, user_id: int, upload: Upload, duration: int, caption: str) -> SentMessage:
    """Send a voice message that is ``duration`` seconds long."""
    stored = world.files.add("voice", upload).to_api()
    voice = {**stored, "duration": duration, "mime_type": upload.mime_type}
    return send(world, user_id, format_caption(caption), {"voice": voice})


def send_video(world: World, user_id: int, upload: Upload, duration: int, caption: str) -> SentMessage:
    """Send a video that is ``duration`` seconds long."""
    stored = world.files.add("videos", upload).to_api()
    properties = {"width": 640, "height": 360, "duration": duration, "mime_type": upload.mime_type}
    return send(world, user_id, format_caption(caption), {"video": {**stored, **properties}})


def send_sticker(world: World, user_id: int, upload: Upload, emoji: str) -> SentMessage:
    """Send a sticker with its ``emoji``."""
    stored = world.files.add("stickers", upload).to_api()
    properties = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
    return send(world, user_id, FormattedText(""), {"sticker": {**stored, **properties, "emoji": emoji}})


def chat_to_json(world: World, user_id: int) -> JsonObject:
    """Return the private chat as the person sees it."""
    chat = world.chats.open(user_id)
    return {
        **chat.to_api(),
        "version": chat.version,
        "typing": chat.typing_until > time.time(),
        "reply_keyboard": chat.reply_keyboard,
        "messages": [message.to_json() for _, message in sorted(chat.messages.items())],
    }


def send(  # noqa: PLR0913 - each argument is a separate fact
    world: World,
    user_id: int,
    body: FormattedText,
    media: JsonObject,
    reply_to: int | None = None,
    *,
    extras: JsonObject | None = None,
) -> SentMessage:
    """Send a message with a text or caption and with media. ``extras`` are further members of Telegram's Message."""
    chat = world.chats.open(user_id)
    replied_to = None if reply_to is None else find_message(chat, reply_to)
    message = Message(
        message_id=world.chats.next_message_id(chat),
        chat=chat.to_api(),
        sender=find_person(user_id),
        date=int(time.time()),
        body=body,
        media=media,
        reply_to=replied_to,
        extras=extras or {},
    )
    world.put(chat, message, "message")
    return SentMessage(message, world.updates.push("message", message.to_api()))


def find_message(chat: Chat, message_id: int) -> Message:
    """Return a message in the chat, or raise ApiError 404."""
    message = chat.messages.get(message_id)
    if message is None:
        raise ApiError(404, f"Not Found: chat {chat.id} has no message {message_id}")
    return message


def format_text(text: str) -> FormattedText:
    """Return a text with its entities, or raise ApiError if it doesn't fit into one message."""
    body = FormattedText(text).strip().with_detected_entities()
    if not body.text:
        raise bad_request("message text is empty")
    if utf16_length(body.text) > MESSAGE_LIMIT:
        raise bad_request("message is too long")
    return body


def format_caption(text: str) -> FormattedText:
    """Return a caption, which can be empty, with its entities, or raise ApiError if it is too long."""
    body = FormattedText(text).strip().with_detected_entities()
    if utf16_length(body.text) > 1024:
        raise bad_request("message caption is too long")
    return body
