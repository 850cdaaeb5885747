"""Bot API methods that send messages and chat actions."""

import time

from playground.api.bot_method import BotMethod, MethodTable
from playground.api.keyboards import ReplyMarkup
from playground.api.media import document_object, photo_object
from playground.api.message_fields import (
    CaptionFields,
    TextFields,
    keyboard_to_json,
    message_members,
    reply_keyboard_to_json,
)
from playground.api.parameter_types import ChatId, FileSource, NotBuilt, ReplyParameters, UploadedFile
from playground.state.chats import TYPING_SECONDS, Chat
from playground.state.message import Message
from playground.state.world import World
from playground.text.entities import FormattedText
from playground.text.parse_mode import QUOTE_INVALID, quote_text
from playground.text.quotes import find_quote, kept_entities
from playground.wire import JsonObject, bad_request, not_built

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

METHODS = MethodTable()


class SendMethod(BotMethod):
    """Parameters common to methods that send a message."""

    chat_id: ChatId
    business_connection_id: NotBuilt = None
    message_thread_id: NotBuilt = None
    direct_messages_topic_id: NotBuilt = None
    disable_notification: bool = False
    protect_content: bool = False
    allow_paid_broadcast: bool = False
    message_effect_id: str | None = None
    suggested_post_parameters: NotBuilt = None
    ephemeral_message_parameters: NotBuilt = None
    receiver_user_id: NotBuilt = None
    callback_query_id: NotBuilt = None
    reply_parameters: ReplyParameters | None = None
    reply_to_message_id: int = 0
    """With ``allow_sending_without_reply``, the older form of ``reply_parameters``, which is still accepted."""
    allow_sending_without_reply: bool = False
    reply_markup: ReplyMarkup | None = None

    def send(self, world: World, chat: Chat, body: FormattedText, media: JsonObject | None = None) -> JsonObject:
        """Add the message to the chat and return it as Telegram's Message, or raise ApiError."""
        reply_to, quote = _find_reply(chat, self._reply())
        message = Message(
            message_id=world.chats.next_message_id(chat),
            chat=chat.to_api(),
            sender=world.bot,
            date=int(time.time()),
            body=body,
            media=media or {},
            reply_to=reply_to,
            reply_markup=keyboard_to_json(self.reply_markup),
            reply_keyboard=reply_keyboard_to_json(self.reply_markup),
            extras={**quote, **message_members(self)},
        )
        world.set_typing(chat, 0)
        return world.put(chat, message, "message").to_api()

    def _reply(self) -> ReplyParameters | None:
        if self.reply_parameters is not None or self.reply_to_message_id <= 0:
            return self.reply_parameters
        return ReplyParameters(
            message_id=self.reply_to_message_id, allow_sending_without_reply=self.allow_sending_without_reply
        )


@METHODS.add
class SendMessage(TextFields, SendMethod):
    """Send a text message."""

    def call(self, world: World) -> JsonObject:
        body = self.body()
        return self.send(world, world.chats.find(self.chat_id), body)


@METHODS.add
class SendDocument(CaptionFields, SendMethod):
    """Send a file, either as an upload or by the id of a file on the server."""

    document: FileSource
    thumbnail: UploadedFile | None = None
    disable_content_type_detection: bool = False

    def call(self, world: World) -> JsonObject:
        chat = world.chats.find(self.chat_id)
        document = document_object(world, self.document)
        return self.send(world, chat, self.body(), {"document": document})


@METHODS.add
class SendPhoto(CaptionFields, SendMethod):
    """Send an image, either as an upload or by the id of a file on the server."""

    photo: FileSource
    show_caption_above_media: bool = False
    has_spoiler: bool = False

    def call(self, world: World) -> JsonObject:
        chat = world.chats.find(self.chat_id)
        body = self.body()
        return self.send(world, chat, body, {"photo": photo_object(world, self.photo)})


@METHODS.add
class SendChatAction(BotMethod):
    """Show the bot as busy for five seconds or until it sends its next message."""

    chat_id: ChatId
    action: str
    message_thread_id: NotBuilt = None
    business_connection_id: NotBuilt = None

    def call(self, world: World) -> bool:
        chat = world.chats.find(self.chat_id)
        if self.action not in _CHAT_ACTIONS:
            raise bad_request("wrong parameter action in request")
        world.set_typing(chat, TYPING_SECONDS)
        return True


def _find_reply(chat: Chat, reply: ReplyParameters | None) -> tuple[Message | None, JsonObject]:
    """Return the message being replied to, and the members to add for the quoted part."""
    if reply is None or reply.message_id <= 0:
        return None, {}
    if reply.chat_id not in (None, chat.id):
        raise not_built("replies to messages in other chats")
    message = chat.messages.get(reply.message_id)
    if message is None:
        if reply.allow_sending_without_reply:
            return None, {}
        raise bad_request("message to be replied not found")
    return message, _quoted_part(message, reply)


def _quoted_part(message: Message, reply: ReplyParameters) -> JsonObject:
    """Return the member to add for the quoted part of ``message``, if any, or raise ApiError if it isn't there."""
    entities = [entity.to_json() for entity in reply.quote_entities]
    quote = quote_text(reply.quote or "", reply.quote_parse_mode or "", entities)
    if not quote.text:
        return {}
    position = find_quote(message.body, quote, reply.quote_position or 0)
    if position is None:
        raise bad_request(QUOTE_INVALID)
    kept = [entity.to_api() for entity in kept_entities(quote)]
    part = {"text": quote.text, "position": position, "is_manual": True}
    return {"quote": {**part, "entities": kept} if kept else part}
