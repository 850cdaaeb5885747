"""A text in, a verdict owed: reads, remembers and composes the reply. Knows no Telegram types."""

import asyncio
from typing import Final

from bot.database import AsyncDatabase
from bot.reviews.verdict import verdict_content
from bot.serving.live_model import LiveModel
from bot.texts import Texts, fill
from bot.transport.conversation import IncomingText, MessageContent, reply
from ml.serving.engine import Verdict
from ml.text.language import foreign_language
from ml.text.plain_text import Content, classify_content
from storage.chat import messages, predictions
from storage.chat.messages import MessagePart, StoredMessage
from storage.db.database import UnitOfWork


class ReviewResponder:
    """Answers texts, new and edited; what it owes is committed when a method returns."""

    def __init__(self, store: AsyncDatabase, model: LiveModel) -> None:
        self._store = store
        self._model = model

    async def answer(self, written: IncomingText) -> None:
        """Answer a new text with a verdict, or say why it gets none."""
        await self._answer(written, None)

    async def revise(self, edited: IncomingText) -> None:
        """Answer an edited message: its part of the text is replaced, and the reply to it follows."""
        found = await self._store.read(lambda unit: _stored(unit, edited))
        if found is None:
            await self._answer(edited, None)
            return
        revised = IncomingText(edited.incoming, _replaced(found.parts, edited.parts[0]))
        if revised.text == found.text:
            await self._store.write(lambda unit: _show_again(unit, revised, found))
        else:
            await self._answer(revised, found)

    async def _answer(self, written: IncomingText, old: StoredMessage | None) -> None:
        """Read the text; then one unit of work: the text, the prediction, the reply owed, the updates done."""
        refusal = await asyncio.to_thread(refusal_reason, written.text, written.incoming.texts)
        if refusal is None:
            verdict = await self._model.verdict(written.text)
            await self._store.write(lambda unit: _settle(unit, written, _remember(unit, written, verdict, old)))
        else:
            await self._store.write(lambda unit: _settle(unit, written, MessageContent(refusal)))


def _settle(unit: UnitOfWork, written: IncomingText, shown: MessageContent) -> None:
    reply(unit, written.incoming, written.first_message_id, shown)
    written.incoming.finish(unit)


def refusal_reason(text: str, texts: Texts) -> str | None:
    """The sentence for a text that gets no verdict: no words, or another language; None for a text that does."""
    without_words: Final = {Content.EMPTY: texts.empty, Content.EMOJI: texts.only_emoji, Content.LINK: texts.only_link}
    content = classify_content(text)
    if content in without_words:
        return without_words[content]
    foreign = foreign_language(text)
    return fill(texts.foreign, language=foreign.name) if foreign else None


def _remember(unit: UnitOfWork, written: IncomingText, verdict: Verdict, old: StoredMessage | None) -> MessageContent:
    received = written.incoming
    person = received.sender.upsert(unit)
    revises = old.id if old else None
    message_id = messages.store_message(unit, person.id, received.bot_id, received.chat_id, written.parts, revises)
    prediction_id = predictions.store_prediction(
        unit,
        message_id,
        verdict.version,
        verdict.label,
        verdict.confidence,
        verdict.sure,
        verdict.windows,
        verdict.logits,
        replaces=old.prediction_id if old else None,
    )
    return verdict_content(unit, received, person, prediction_id)


def _show_again(unit: UnitOfWork, written: IncomingText, stored: StoredMessage) -> None:
    """Show a text's verdict as it stands: apps also report an edit where the words are the same."""
    received = written.incoming
    if stored.prediction_id is None:
        received.finish(unit)
    else:
        _settle(unit, written, verdict_content(unit, received, received.sender.upsert(unit), stored.prediction_id))


def _stored(unit: UnitOfWork, edited: IncomingText) -> StoredMessage | None:
    received = edited.incoming
    return messages.find_by_part(unit, received.bot_id, received.chat_id, edited.first_message_id)


def _replaced(parts: tuple[MessagePart, ...], edited: MessagePart) -> tuple[MessagePart, ...]:
    return tuple(edited if part.telegram_message_id == edited.telegram_message_id else part for part in parts)
