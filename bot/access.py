"""Restricts handlers to admins in their private chats with the bot.

Admins are identified by their numeric Telegram ids.
"""

from collections.abc import Iterable
from typing import Any

from telegram import Message, Update
from telegram.constants import ChatType
from telegram.ext import BaseHandler

Handler = BaseHandler[Any, Any, Any]


def in_own_chat(update: Update) -> bool:
    """Return whether a person sent this message or tapped this button in their private chat with the bot."""
    person, chat = update.effective_user, update.effective_chat
    return person is not None and chat is not None and chat.type == ChatType.PRIVATE and chat.id == person.id


class Access:
    """Recognises updates that an admin sent. All other updates are handled as if an ordinary user had sent them."""

    def __init__(self, admin_ids: Iterable[int]) -> None:
        self.admin_ids = frozenset(admin_ids)

    def allows(self, update: object) -> bool:
        """Return whether an admin sent this new message or tapped this button in their private chat with the bot.

        Ignore messages that were forwarded, edited, sent on behalf of a chat or sent through another bot.
        """
        if not isinstance(update, Update) or not in_own_chat(update):
            return False
        if update.callback_query is not None:
            return update.callback_query.from_user.id in self.admin_ids
        return update.message is not None and self._allows_message(update.message)

    def guard(self, handler: Handler) -> Handler:
        """Wrap a handler so that it matches only admins' updates."""
        return _GuardedHandler(self, handler)

    def _allows_message(self, message: Message) -> bool:
        return (
            message.from_user is not None
            and message.from_user.id in self.admin_ids
            and message.sender_chat is None
            and message.forward_origin is None
            and message.via_bot is None
            and message.edit_date is None
        )


class _GuardedHandler(BaseHandler[Any, Any, Any]):
    """Wraps a handler with an access check."""

    def __init__(self, access: Access, handler: Handler) -> None:
        super().__init__(handler.callback)
        self._access = access
        self._handler = handler

    def check_update(self, update: object) -> object:
        """Return the wrapped handler's match, or None if the update isn't an admin's. See PTB's ``BaseHandler``."""
        return self._handler.check_update(update) if self._access.allows(update) else None

    def collect_additional_context(
        self,
        context: Any,  # noqa: ANN401 - PTB's own types, which differ by application
        update: Any,  # noqa: ANN401
        application: Any,  # noqa: ANN401
        check_result: Any,  # noqa: ANN401
    ) -> None:
        """Let the wrapped handler fill in the context."""
        self._handler.collect_additional_context(context, update, application, check_result)
