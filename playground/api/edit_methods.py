"""Bot API methods that edit and delete messages."""

import time
from dataclasses import replace

from playground.api.bot_method import BotMethod, MethodTable
from playground.api.keyboards import InlineKeyboardMarkup
from playground.api.message_fields import CaptionFields, TextFields, keyboard_to_json, message_members
from playground.api.parameter_types import ChatId, NotBuilt
from playground.state.chats import Chat
from playground.state.message import Message
from playground.state.world import World
from playground.wire import JsonObject, bad_request

DELETABLE_SECONDS = 48 * 3600

METHODS = MethodTable()


class EditMethod(BotMethod):
    """Parameters common to methods that edit a message. Without ``reply_markup``, the keyboard is removed."""

    business_connection_id: NotBuilt = None
    chat_id: ChatId | None = None
    message_id: int | None = None
    inline_message_id: NotBuilt = None
    reply_markup: InlineKeyboardMarkup | None = None

    def find(self, world: World) -> tuple[Chat, Message]:
        """Return the chat and the bot's message in it, or raise ApiError."""
        if self.chat_id is None:
            raise bad_request("chat_id is empty")
        if self.message_id is None:
            raise bad_request("message identifier is not specified")
        chat = world.chats.find(self.chat_id)
        message = chat.messages.get(self.message_id)
        if message is None:
            raise bad_request("message to edit not found")
        if not message.sender.is_bot:
            raise bad_request("message can't be edited")
        return chat, message

    def save(self, world: World, chat: Chat, old: Message, new: Message) -> JsonObject:
        """Store ``new`` with this keyboard and return it as Telegram's Message.

        Raise ApiError if nothing would change.
        """
        new = replace(new, reply_markup=keyboard_to_json(self.reply_markup))
        if (old.body, old.reply_markup) == (new.body, new.reply_markup):
            raise bad_request(
                "message is not modified: specified new message content and reply markup are exactly the same "
                "as a current content and reply markup of the message"
            )
        return world.put(chat, new, "edit").to_api()


@METHODS.add
class EditMessageText(TextFields, EditMethod):
    """Replace the text and the keyboard of a message."""

    rich_message: NotBuilt = None

    def call(self, world: World) -> JsonObject:
        body = self.body()
        chat, message = self.find(world)
        if message.media:
            raise bad_request("there is no text in the message to edit")
        extras = {**message.extras, **message_members(self)}
        edited = replace(message, body=body, extras=extras, edit_date=int(time.time()))
        return self.save(world, chat, message, edited)


@METHODS.add
class EditMessageCaption(CaptionFields, EditMethod):
    """Replace the caption and the keyboard of an image or file."""

    show_caption_above_media: bool = False

    def call(self, world: World) -> JsonObject:
        chat, message = self.find(world)
        if not message.media:
            raise bad_request("there is no caption in the message to edit")
        return self.save(world, chat, message, replace(message, body=self.body(), edit_date=int(time.time())))


@METHODS.add
class EditMessageReplyMarkup(EditMethod):
    """Replace only the keyboard of a message, without marking the message as edited."""

    def call(self, world: World) -> JsonObject:
        chat, message = self.find(world)
        return self.save(world, chat, message, message)


@METHODS.add
class DeleteMessage(BotMethod):
    """Delete a message that is less than 48 hours old."""

    chat_id: ChatId
    message_id: int

    def call(self, world: World) -> bool:
        chat = world.chats.find(self.chat_id)
        message = chat.messages.get(self.message_id)
        if message is None:
            raise bad_request("message to delete not found")
        if time.time() - message.date > DELETABLE_SECONDS:
            raise bad_request("message can't be deleted")
        world.remove(chat, message.message_id)
        return True


@METHODS.add
class DeleteMessages(BotMethod):
    """Delete up to 100 messages. Unknown ids are skipped."""

    chat_id: ChatId
    message_ids: list[int]

    def call(self, world: World) -> bool:
        chat = world.chats.find(self.chat_id)
        if not 1 <= len(self.message_ids) <= 100:
            raise bad_request("1 to 100 message identifiers expected")
        for message_id in set(self.message_ids) & chat.messages.keys():
            world.remove(chat, message_id)
        return True
