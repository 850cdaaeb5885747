"""Bot API methods that send, change and delete messages."""

import time
from dataclasses import replace

from playground.api.method_table import MethodTable
from playground.api.parameter_types import ENTITIES, INLINE_KEYBOARD, KEYBOARD, LINK_PREVIEW, REPLY
from playground.api.parameters import BOOLEAN, CHAT_ID, FILE, INTEGER, STRING, UPLOAD, array, may, need
from playground.state.chats import TYPING_SECONDS, Chat, Message
from playground.state.files import StoredFile, image_size
from playground.state.world import World
from playground.text.entities import FormattedText
from playground.text.parse_mode import caption_text, message_text
from playground.wire import JsonObject, Upload, bad_request, not_built

DELETABLE_SECONDS = 48 * 3600
ANSWER_TEXT_LIMIT = 200
_CHAT_ACTIONS = frozenset(
    [
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    ]
)
_SENDING = {
    "business_connection_id": may(STRING),
    "message_thread_id": may(INTEGER),
    "direct_messages_topic_id": may(INTEGER),
    "disable_notification": may(BOOLEAN),
    "protect_content": may(BOOLEAN),
    "allow_paid_broadcast": may(BOOLEAN),
    "message_effect_id": may(STRING),
    "reply_parameters": may(REPLY),
    "reply_markup": may(KEYBOARD),
}
_TEXT = {"parse_mode": may(STRING), "entities": may(ENTITIES), "link_preview_options": may(LINK_PREVIEW)}
_CAPTION = {"caption": may(STRING), "parse_mode": may(STRING), "caption_entities": may(ENTITIES)}
_WHICH = {
    "business_connection_id": may(STRING),
    "chat_id": may(CHAT_ID),
    "message_id": may(INTEGER),
    "inline_message_id": may(STRING),
}
_NOT_BUILT = ("business_connection_id", "message_thread_id", "direct_messages_topic_id", "inline_message_id")

METHODS = MethodTable()


@METHODS.method("sendMessage", chat_id=need(CHAT_ID), text=need(STRING), **_TEXT, **_SENDING)
def send_message(world: World, given: JsonObject) -> JsonObject:
    """Send a text."""
    chat = world.chats.find(given["chat_id"])
    body = message_text(given["text"], given.get("parse_mode", ""), given.get("entities", []))
    return _send(world, chat, given, body)


@METHODS.method(
    "sendDocument",
    chat_id=need(CHAT_ID),
    document=need(FILE),
    thumbnail=may(UPLOAD),
    disable_content_type_detection=may(BOOLEAN),
    **_CAPTION,
    **_SENDING,
)
def send_document(world: World, given: JsonObject) -> JsonObject:
    """Send a file: an upload, or one that the server has by its id."""
    chat = world.chats.find(given["chat_id"])
    document = document_object(world, given["document"])
    return _send(world, chat, given, _caption(given), {"document": document})


@METHODS.method(
    "sendPhoto",
    chat_id=need(CHAT_ID),
    photo=need(FILE),
    show_caption_above_media=may(BOOLEAN),
    has_spoiler=may(BOOLEAN),
    **_CAPTION,
    **_SENDING,
)
def send_photo(world: World, given: JsonObject) -> JsonObject:
    """Send a picture: an upload, or one that the server has by its id."""
    chat = world.chats.find(given["chat_id"])
    return _send(world, chat, given, _caption(given), {"photo": photo_object(world, given["photo"])})


@METHODS.method("editMessageText", text=need(STRING), reply_markup=may(INLINE_KEYBOARD), **_TEXT, **_WHICH)
def edit_message_text(world: World, given: JsonObject) -> JsonObject:
    """Replace a message's text and keyboard; without ``reply_markup`` the keyboard goes."""
    chat, message = _to_edit(world, given)
    if message.media:
        raise bad_request("there is no text in the message to edit")
    body = message_text(given["text"], given.get("parse_mode", ""), given.get("entities", []))
    edited = replace(message, body=body, reply_markup=_keyboard(given), extras=_extras(message.extras, given))
    return _put_edited(world, chat, message, replace(edited, edit_date=int(time.time())))


@METHODS.method(
    "editMessageCaption",
    show_caption_above_media=may(BOOLEAN),
    reply_markup=may(INLINE_KEYBOARD),
    **_CAPTION,
    **_WHICH,
)
def edit_message_caption(world: World, given: JsonObject) -> JsonObject:
    """Replace the words under a picture or file, and the keyboard; without ``reply_markup`` the keyboard goes."""
    chat, message = _to_edit(world, given)
    if not message.media:
        raise bad_request("there is no caption in the message to edit")
    edited = replace(message, body=_caption(given), reply_markup=_keyboard(given))
    return _put_edited(world, chat, message, replace(edited, edit_date=int(time.time())))


@METHODS.method("editMessageReplyMarkup", reply_markup=may(INLINE_KEYBOARD), **_WHICH)
def edit_message_reply_markup(world: World, given: JsonObject) -> JsonObject:
    """Replace a message's keyboard alone, which does not mark it as edited."""
    chat, message = _to_edit(world, given)
    return _put_edited(world, chat, message, replace(message, reply_markup=_keyboard(given)))


@METHODS.method("deleteMessage", chat_id=need(CHAT_ID), message_id=need(INTEGER))
def delete_message(world: World, given: JsonObject) -> bool:
    """Delete a message that is less than 48 hours old."""
    chat = world.chats.find(given["chat_id"])
    message = chat.messages.get(given["message_id"])
    if message is None:
        raise bad_request("message to delete not found")
    if time.time() - message.date > DELETABLE_SECONDS:
        raise bad_request("message can't be deleted")
    _delete(world, chat, message.message_id)
    return True


@METHODS.method("deleteMessages", chat_id=need(CHAT_ID), message_ids=need(array(INTEGER)))
def delete_messages(world: World, given: JsonObject) -> bool:
    """Delete those of up to 100 messages that are there."""
    chat = world.chats.find(given["chat_id"])
    if not 1 <= len(given["message_ids"]) <= 100:
        raise bad_request("1 to 100 message identifiers expected")
    for message_id in set(given["message_ids"]) & chat.messages.keys():
        _delete(world, chat, message_id)
    return True


@METHODS.method(
    "sendChatAction",
    chat_id=need(CHAT_ID),
    action=need(STRING),
    message_thread_id=may(INTEGER),
    business_connection_id=may(STRING),
)
def send_chat_action(world: World, given: JsonObject) -> bool:
    """Show the bot as busy for five seconds or until its next message."""
    chat = world.chats.find(given["chat_id"])
    _refuse_not_built(given)
    if given["action"] not in _CHAT_ACTIONS:
        raise bad_request("wrong parameter action in request")
    world.typing(chat, TYPING_SECONDS)
    return True


@METHODS.method(
    "answerCallbackQuery",
    callback_query_id=need(STRING),
    text=may(STRING),
    show_alert=may(BOOLEAN),
    url=may(STRING),
    cache_time=may(INTEGER),
)
def answer_callback_query(world: World, given: JsonObject) -> bool:
    """End the wait of whoever tapped, with a short notice, an alert or nothing."""
    text = given.get("text", "")
    if len(text) > ANSWER_TEXT_LIMIT:
        raise bad_request("MESSAGE_TOO_LONG")
    tap = world.callbacks.take(given["callback_query_id"])
    world.changes.publish(
        "callback_answer",
        callback_id=tap.id,
        chat_id=tap.chat_id,
        user_id=tap.user_id,
        text=text,
        show_alert=given.get("show_alert", False),
    )
    return True


def document_object(world: World, source: Upload | str) -> JsonObject:
    """Telegram's Document, of an upload or of a file that the server has."""
    if isinstance(source, Upload):
        facts = {"file_name": source.file_name, "mime_type": source.mime_type}
        return {**facts, **world.files.add("documents", source).to_api()}
    return _known_file(world, source).to_api()


def photo_object(world: World, source: Upload | str) -> list[JsonObject]:
    """Telegram's array of PhotoSize, of an upload or of a file that the server has; one size is made."""
    if isinstance(source, Upload):
        width, height = image_size(source.content)
        stored = world.files.add("photos", source)
    else:
        stored = _known_file(world, source)
        width, height = image_size(world.files.content(stored.path))
    return [{**stored.to_api(), "width": width, "height": height}]


def _known_file(world: World, file_id: str) -> StoredFile:
    if file_id.startswith(("http://", "https://")):
        raise not_built("access to other sites; upload the file")
    return world.files.find(file_id)


def _send(
    world: World, chat: Chat, given: JsonObject, body: FormattedText, media: JsonObject | None = None
) -> JsonObject:
    _refuse_not_built(given)
    reply_to, quote = _reply(chat, given.get("reply_parameters"))
    message = Message(
        message_id=world.chats.next_message_id(chat),
        chat=chat.to_api(),
        sender=world.bot,
        date=int(time.time()),
        body=body,
        media=media or {},
        reply_to=reply_to,
        reply_markup=_keyboard(given),
        extras=_extras(quote, given),
    )
    world.typing(chat, 0)
    return world.put(chat, message, "message").to_api()


def _caption(given: JsonObject) -> FormattedText:
    return caption_text(given.get("caption", ""), given.get("parse_mode", ""), given.get("caption_entities", []))


def _extras(current: JsonObject, given: JsonObject) -> JsonObject:
    """``current`` with the members of a message that are handed through as the bot gave them."""
    handed = {
        "link_preview_options": given.get("link_preview_options"),
        "has_protected_content": given.get("protect_content"),
        "has_media_spoiler": given.get("has_spoiler"),
        "show_caption_above_media": given.get("show_caption_above_media"),
        "effect_id": given.get("message_effect_id"),
    }
    return {**current, **{name: value for name, value in handed.items() if value}}


def _reply(chat: Chat, reply: JsonObject | None) -> tuple[Message | None, JsonObject]:
    """The message that is replied to, and the members that the quoted part of it adds."""
    if reply is None:
        return None, {}
    if reply.get("chat_id", chat.id) != chat.id:
        raise not_built("replies to messages of other chats")
    message = chat.messages.get(reply["message_id"])
    if message is None:
        if reply.get("allow_sending_without_reply"):
            return None, {}
        raise bad_request("message to be replied not found")
    quote = reply.get("quote")
    if quote is None:
        return message, {}
    if quote not in message.body.text:
        raise bad_request("QUOTE_TEXT_INVALID")
    return message, {"quote": {"text": quote, "position": message.body.text.index(quote), "is_manual": True}}


def _keyboard(given: JsonObject) -> JsonObject | None:
    """The keyboard that was given, in Telegram's form: one without buttons is none."""
    markup: JsonObject | None = given.get("reply_markup")
    rows = [row for row in markup["inline_keyboard"] if row] if markup else []
    return {"inline_keyboard": rows} if rows else None


def _refuse_not_built(given: JsonObject) -> None:
    for name in _NOT_BUILT:
        if name in given:
            raise not_built(name)


def _to_edit(world: World, given: JsonObject) -> tuple[Chat, Message]:
    _refuse_not_built(given)
    if "chat_id" not in given:
        raise bad_request("chat_id is empty")
    if "message_id" not in given:
        raise bad_request("message identifier is not specified")
    chat = world.chats.find(given["chat_id"])
    message = chat.messages.get(given["message_id"])
    if message is None:
        raise bad_request("message to edit not found")
    if not message.sender.is_bot:
        raise bad_request("message can't be edited")
    return chat, message


def _put_edited(world: World, chat: Chat, old: Message, new: Message) -> JsonObject:
    if (old.body, old.reply_markup) == (new.body, new.reply_markup):
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same "
            "as a current content and reply markup of the message"
        )
    return world.put(chat, new, "edit").to_api()


def _delete(world: World, chat: Chat, message_id: int) -> None:
    chat.remove(message_id)
    world.changes.publish("delete", chat_id=chat.id, message_id=message_id)
