"""Replies to reviews: makes and stores the prediction, and enqueues the verdict. Free of Telegram types."""

import asyncio
from dataclasses import replace
from typing import Final

from bot.counts import WITHOUT_VERDICT
from bot.database import AsyncDatabase
from bot.formatting import THUMBS
from bot.incoming import IncomingText
from bot.reviews.verdict_messages import VerdictMessages
from bot.sending.replies import MessageContent, reply
from bot.serving.live_model import LiveModel
from bot.texts import Texts, fill
from ml.serving.engine import Verdict
from ml.text.ratings import Rating
from ml.text.screening import Refusal, Refused, screen
from storage.chat import messages, predictions
from storage.chat.messages import MessagePart, StoredMessage
from storage.db.database import UnitOfWork
from storage.feedback import votes


class ReviewResponder:
    """Replies to new and edited texts. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase, model: LiveModel, verdicts: VerdictMessages) -> None:
        self._database = database
        self._model = model
        self._verdicts = verdicts

    async def answer(self, text: IncomingText) -> None:
        """Reply to a new text with a verdict, or with a rule's answer."""
        await self._answer(text, None)

    async def refuse(self, post: IncomingText, refusal: str) -> None:
        """Reply ``refusal`` to a post without text. The reply becomes a verdict if an edit adds a text to the post."""
        await self._database.write(lambda unit: _reply(unit, post, MessageContent(refusal)))

    async def revise(self, edited: IncomingText) -> None:
        """Replace the edited part of the text, and update the reply."""
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
        by_rule = await asyncio.to_thread(answer_by_rule, text.text, text.incoming.texts)
        if by_rule is None:
            verdict = await self._model.verdict(text.text)
            await self._database.write(lambda unit: _reply(unit, text, self._store(unit, text, verdict, old)))
        else:
            await self._database.write(lambda unit: _reply(unit, text, _refusal(unit, text, by_rule, old)))

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
            is_review=verdict.is_review,
            words=verdict.counts.words if verdict.counts else None,
            unknown_words=verdict.counts.unknown if verdict.counts else None,
        )
        content = self._verdicts.new_answer(unit, incoming.texts, person, prediction_id)
        return _with_withdrawn_vote(unit, incoming.texts, content, old)

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


def answer_by_rule(text: str, texts: Texts) -> str | None:
    """Return the answer to a text that a rule handles, or None if the model should answer.

    Texts that rules answer are not stored, so they get no buttons, never appear in /label, and are never used for
    training.
    """
    found = screen(text)
    if found is not None:
        WITHOUT_VERDICT.labels("a rating" if isinstance(found, Rating) else found.refusal).inc()
    if isinstance(found, Rating):
        if found.label is None:
            return fill(texts.rating_mixed, rating=found.written)
        return fill(texts.rating, rating=found.written, thumb=THUMBS[found.label], label=found.label)
    if isinstance(found, Refused):
        return _refusal_text(found, texts)
    return None


def _refusal_text(refused: Refused, texts: Texts) -> str:
    if refused.refusal is Refusal.FOREIGN:
        return fill(texts.foreign, language=refused.language)
    without_placeholders: Final = {
        Refusal.EMPTY: texts.empty,
        Refusal.EMOJI: texts.only_emoji,
        Refusal.LINK: texts.only_link,
        Refusal.HELP: texts.cry_for_help,
    }
    return without_placeholders[refused.refusal]


def _refusal(unit: UnitOfWork, text: IncomingText, refusal: str, old: StoredMessage | None) -> MessageContent:
    return _with_withdrawn_vote(unit, text.incoming.texts, MessageContent(refusal), old)


def _with_withdrawn_vote(
    unit: UnitOfWork, texts: Texts, content: MessageContent, old: StoredMessage | None
) -> MessageContent:
    """Delete the author's vote on the text that an edit replaced, and say so in the answer."""
    if old is None or old.prediction_id is None:
        return content
    if not votes.withdraw_replaced(unit, old.person_id, old.prediction_id):
        return content
    return replace(content, text=f"{content.text}\n\n{texts.vote_replaced}")


def _find_stored(unit: UnitOfWork, edited: IncomingText) -> StoredMessage | None:
    incoming = edited.incoming
    return messages.find_by_part(unit, incoming.bot_id, incoming.chat_id, edited.first_message_id)


def _replace_part(parts: tuple[MessagePart, ...], edited: MessagePart) -> tuple[MessagePart, ...]:
    return tuple(edited if part.telegram_message_id == edited.telegram_message_id else part for part in parts)
