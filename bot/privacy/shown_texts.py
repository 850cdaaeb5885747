"""Removes a person's texts from other people's chats, and names the models that learned from them."""

from collections.abc import Collection, Sequence
from typing import Final

from bot.sending.replies import MessageContent
from bot.texts import Texts, fill, texts_for
from storage.chat import outbox
from storage.db.database import UnitOfWork

# Maximum number of models to list as having learned from a person. Older models are only counted.
_MAX_VERSIONS: Final = 20


def withdraw_shown_texts(unit: UnitOfWork, telegram_id: int, message_ids: Collection[int] | None = None) -> None:
    """Remove a person's texts, or only those in ``message_ids``, from messages that ask other people to label them."""
    for place in outbox.messages_in_other_chats(unit, telegram_id, message_ids):
        content = MessageContent(texts_for(place.language).text_withdrawn)
        outbox.enqueue(unit, content.draft(place.bot_id, place.chat_id, edits=place.telegram_message_id))


def with_models(text: str, texts: Texts, versions: Sequence[str]) -> str:
    """Return ``text``, followed by the ``versions`` (passed oldest first) that used the person's data."""
    if not versions:
        return text
    named = ", ".join(reversed(versions[-_MAX_VERSIONS:]))
    if len(versions) > _MAX_VERSIONS:
        named = texts.learnt_before_more.format(versions=named, count=len(versions) - _MAX_VERSIONS)
    return f"{text}\n\n{fill(texts.learnt_before, versions=named)}"
