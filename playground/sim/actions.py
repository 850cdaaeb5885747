"""What people do: write, edit, tap, send files. Each action changes the chat and queues the bot's update."""

import time
from dataclasses import dataclass, replace

from playground.api.message_methods import document_object, photo_object
from playground.state.chats import Chat, Message
from playground.state.people import person
from playground.state.world import World
from playground.text.entities import FormattedText, utf16_length
from playground.text.message_splitting import MESSAGE_LIMIT, split_like_apps
from playground.wire import ApiError, JsonObject, Upload, bad_request


@dataclass(frozen=True, slots=True)
class Written:
    """A message that a person has sent or edited; ``update_id`` is None when the bot wants no such updates."""

    message: Message
    update_id: int | None

    def to_json(self) -> JsonObject:
        """The answer of the ``/sim`` calls."""
        shown = self.message.shown()
        ids = {"message_id": self.message.message_id, "chat_id": shown["chat"]["id"], "update_id": self.update_id}
        return {**ids, "message": shown}


def write(world: World, user_id: int, text: str, reply_to: int | None = None) -> Written:
    """Send a text of up to 4,096 UTF-16 code units; raises ApiError."""
    return _send(world, user_id, _body(text), {}, reply_to)


def paste(world: World, user_id: int, text: str, reply_to: int | None = None) -> list[Written]:
    """Send a text of any length as the apps do: cut into messages that follow at once."""
    parts = split_like_apps(text)
    if not parts:
        raise bad_request("message text is empty")
    first = write(world, user_id, parts[0], reply_to)
    return [first, *(write(world, user_id, part) for part in parts[1:])]


def edit(world: World, user_id: int, message_id: int, text: str) -> Written:
    """Change the text or the caption of one's own message; raises ApiError."""
    chat = world.chats.open(user_id)
    message = _message(chat, message_id)
    if message.sender.is_bot:
        raise bad_request("message can't be edited")
    edited = replace(message, body=_body(text), edit_date=int(time.time()))
    if edited.body == message.body:
        raise bad_request("message is not modified")
    world.put(chat, edited, "edit")
    return Written(edited, world.updates.push("edited_message", edited.to_api()))


def tap(world: World, user_id: int, message_id: int, *, label: str | None, data: str | None) -> JsonObject:
    """Tap the button with this label or these data on a message of the bot; raises ApiError when there is none."""
    chat = world.chats.open(user_id)
    message = _message(chat, message_id)
    buttons = [button for row in message.shown()["buttons"] for button in row]
    fitting = [b for b in buttons if label in (None, b["text"]) and data in (None, b.get("callback_data"))]
    if (label, data) == (None, None) or not fitting:
        known = ", ".join(repr(button["text"]) for button in buttons) or "none"
        raise bad_request(f"message {message_id} has no such button; its buttons are: {known}")
    if "callback_data" not in fitting[0]:
        raise bad_request(f"the button {fitting[0]['text']!r} opens an address and tells the bot nothing")
    query = world.callbacks.begin(user_id, chat.id)
    update_id = world.updates.push(
        "callback_query",
        {
            "id": query.id,
            "from": chat.person.to_api(),
            "message": message.to_api(),
            "chat_instance": str(chat.id),
            "data": fitting[0]["callback_data"],
        },
    )
    return {"callback_id": query.id, "chat_id": chat.id, "message_id": message_id, "update_id": update_id}


def send_document(world: World, user_id: int, upload: Upload, caption: str) -> Written:
    """Send a file."""
    return _send(world, user_id, _caption(caption), {"document": document_object(world, upload)})


def send_photo(world: World, user_id: int, upload: Upload, caption: str) -> Written:
    """Send a picture; raises ApiError for a file that is none."""
    return _send(world, user_id, _caption(caption), {"photo": photo_object(world, upload)})


def send_voice(world: World, user_id: int, upload: Upload, duration: int) -> Written:
    """Send a voice message of ``duration`` seconds."""
    stored = world.files.add("voice", upload).to_api()
    voice = {**stored, "duration": duration, "mime_type": upload.mime_type}
    return _send(world, user_id, FormattedText(""), {"voice": voice})


def send_sticker(world: World, user_id: int, upload: Upload, emoji: str) -> Written:
    """Send a sticker that stands for ``emoji``."""
    stored = world.files.add("stickers", upload).to_api()
    look = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
    return _send(world, user_id, FormattedText(""), {"sticker": {**stored, **look, "emoji": emoji}})


def chat_as_seen(world: World, user_id: int) -> JsonObject:
    """The private chat of one person, with edits applied."""
    chat = world.chats.open(user_id)
    return {
        **chat.to_api(),
        "version": chat.version,
        "typing": chat.typing_until > time.time(),
        "messages": [message.shown() for _, message in sorted(chat.messages.items())],
    }


def _send(world: World, user_id: int, body: FormattedText, media: JsonObject, reply_to: int | None = None) -> Written:
    chat = world.chats.open(user_id)
    replied = None if reply_to is None else _message(chat, reply_to)
    message = Message(
        message_id=world.chats.next_message_id(chat),
        chat=chat.to_api(),
        sender=person(user_id),
        date=int(time.time()),
        body=body,
        media=media,
        reply_to=replied,
    )
    world.put(chat, message, "message")
    return Written(message, world.updates.push("message", message.to_api()))


def _message(chat: Chat, message_id: int) -> Message:
    message = chat.messages.get(message_id)
    if message is None:
        raise ApiError(404, f"Not Found: chat {chat.id} has no message {message_id}")
    return message


def _body(text: str) -> FormattedText:
    body = FormattedText(text).trimmed().with_found_entities()
    if not body.text:
        raise bad_request("message text is empty")
    if utf16_length(body.text) > MESSAGE_LIMIT:
        raise bad_request("message is too long")
    return body


def _caption(text: str) -> FormattedText:
    body = FormattedText(text).trimmed().with_found_entities()
    if utf16_length(body.text) > 1024:
        raise bad_request("message caption is too long")
    return body
