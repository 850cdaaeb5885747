"""Replies to reviews: makes and stores the prediction, and enqueues the verdict. Free of Telegram types."""

import asyncio
from typing import Final

from bot.database import AsyncDatabase
from bot.incoming import IncomingText
from bot.reviews.verdict_messages import VerdictMessages
from bot.sending.replies import MessageContent, reply
from bot.serving.live_model import LiveModel
from bot.texts import Texts, fill
from ml.serving.engine import Verdict
from ml.text.language import foreign_language
from ml.text.plain_text import Content, classify_content
from storage.chat import messages, predictions
from storage.chat.messages import MessagePart, StoredMessage
from storage.db.database import UnitOfWork


class ReviewResponder:
    """Replies to new and edited texts. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase, model: LiveModel, verdicts: VerdictMessages) -> None:
        self._database = database
        self._model = model
        self._verdicts = verdicts

    async def answer(self, text: IncomingText) -> None:
        """Reply to a new text with a verdict, or explain why there isn't one."""
        await self._answer(text, None)

    async def refuse(self, post: IncomingText, refusal: str) -> None:
        """Reply to a post without text with ``refusal``, which becomes a verdict once the post gets a text."""
        await self._database.write(lambda unit: _reply(unit, post, MessageContent(refusal)))

    async def revise(self, edited: IncomingText) -> None:
        """Replace the part of the text that was edited, and update the reply."""
        stored = await self._database.read(lambda unit: _find_stored(unit, edited))
        if stored is None:
            if edited.text:
                await self._answer(edited, None)
            else:
                # For example, a live location that moves.
                await self._database.write(edited.incoming.finish)
            return
        revised = IncomingText(edited.incoming, _replace_part(stored.parts, edited.parts[0]))
        if revised.text == stored.text:
            await self._database.write(lambda unit: self._show_unchanged(unit, revised, stored))
        else:
            await self._answer(revised, stored)

    async def _answer(self, text: IncomingText, old: StoredMessage | None) -> None:
        """Predict, then store the text, prediction and reply and finish the updates, all in one unit of work."""
        refusal = await asyncio.to_thread(refusal_reason, text.text, text.incoming.texts)
        if refusal is None:
            verdict = await self._model.verdict(text.text)
            await self._database.write(lambda unit: _reply(unit, text, self._store(unit, text, verdict, old)))
        else:
            await self._database.write(lambda unit: _reply(unit, text, MessageContent(refusal)))

    def _store(
        self, unit: UnitOfWork, text: IncomingText, verdict: Verdict, old: StoredMessage | None
    ) -> MessageContent:
        incoming = text.incoming
        person = incoming.sender.upsert(unit)
        revises = old.id if old else None
        message_id = messages.store_message(unit, person.id, incoming.bot_id, incoming.chat_id, text.parts, revises)
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
        return self._verdicts.new_answer(unit, incoming.texts, person, prediction_id)

    def _show_unchanged(self, unit: UnitOfWork, text: IncomingText, stored: StoredMessage) -> None:
        """Show the stored verdict again, because apps also report edits that don't change the text."""
        incoming = text.incoming
        if stored.prediction_id is None:
            incoming.finish(unit)
        else:
            person = incoming.sender.upsert(unit)
            _reply(unit, text, self._verdicts.answer(unit, incoming.texts, person, stored.prediction_id))


def _reply(unit: UnitOfWork, text: IncomingText, content: MessageContent) -> None:
    reply(unit, text.incoming, text.first_message_id, content)
    text.incoming.finish(unit)


def refusal_reason(text: str, texts: Texts) -> str | None:
    """Return the reason for not giving a verdict (no words, or not English), or None if there is no such reason."""
    without_words: Final = {Content.EMPTY: texts.empty, Content.EMOJI: texts.only_emoji, Content.LINK: texts.only_link}
    content = classify_content(text)
    if content in without_words:
        return without_words[content]
    foreign = foreign_language(text)
    return fill(texts.foreign, language=foreign.name) if foreign else None


def _find_stored(unit: UnitOfWork, edited: IncomingText) -> StoredMessage | None:
    incoming = edited.incoming
    return messages.find_by_part(unit, incoming.bot_id, incoming.chat_id, edited.first_message_id)


def _replace_part(parts: tuple[MessagePart, ...], edited: MessagePart) -> tuple[MessagePart, ...]:
    return tuple(edited if part.telegram_message_id == edited.telegram_message_id else part for part in parts)
