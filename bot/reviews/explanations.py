"""Explains verdicts in reply to /why and to the button below a verdict. Free of Telegram types."""

from dataclasses import dataclass

from bot.database import AsyncDatabase
from bot.incoming import Incoming
from bot.reviews.quotation import quote
from bot.reviews.verdict_messages import VerdictMessages
from bot.reviews.why import Why, render_why
from bot.sending.replies import MessageContent, QuotedMessage, send
from bot.serving.live_model import LiveModel
from ml.explanation.explain import Explanation
from storage.chat import messages, outbox, predictions
from storage.chat.messages import StoredMessage
from storage.db.database import UnitOfWork
from storage.db.states import Abstention


@dataclass(frozen=True, slots=True)
class _Subject:
    """A text whose verdict is to be explained, and its newest prediction."""

    prediction_id: int
    message: StoredMessage


class ExplanationResponder:
    """Explains verdicts. Replies are enqueued before each method returns, and nothing else is stored."""

    def __init__(self, database: AsyncDatabase, model: LiveModel, verdicts: VerdictMessages) -> None:
        self._database = database
        self._model = model
        self._verdicts = verdicts

    async def explain_newest(self, incoming: Incoming) -> None:
        """Explain the newest verdict in the chat."""

        def find(unit: UnitOfWork) -> int | None:
            return predictions.newest_shown_in_chat(unit, incoming.bot_id, incoming.chat_id)

        newest = await self._database.read(find)
        await self._explain(incoming, newest, incoming.texts.why_nothing_yet)

    async def explain_message(self, incoming: Incoming, telegram_message_id: int) -> None:
        """Explain the verdict shown in a message, or the verdict on the text that the message belongs to."""

        def find(unit: UnitOfWork) -> int | None:
            place = (incoming.bot_id, incoming.chat_id, telegram_message_id)
            own = messages.find_by_part(unit, *place)
            return outbox.shown_prediction(unit, *place) if own is None else own.prediction_id

        shown = await self._database.read(find)
        await self._explain(incoming, shown, incoming.texts.why_no_verdict)

    async def explain_prediction(self, incoming: Incoming, prediction_id: int) -> None:
        """Explain the verdict whose button was tapped."""
        await self._explain(incoming, prediction_id, incoming.texts.why_gone)

    async def _explain(self, incoming: Incoming, prediction_id: int | None, otherwise: str) -> None:
        """Explain a prediction, or reply with ``otherwise`` if it isn't a prediction for a text in this chat."""
        subject = None
        if prediction_id is not None:
            subject = await self._database.read(lambda unit: _find_subject(unit, incoming, prediction_id))
        if subject is None:
            await self._database.write(lambda unit: _reply(unit, incoming, MessageContent(otherwise)))
            return
        explanation = await self._model.explain(subject.message.text)
        await self._database.write(
            lambda unit: _reply(unit, incoming, self._content(unit, incoming, subject, explanation))
        )

    def _content(
        self, unit: UnitOfWork, incoming: Incoming, subject: _Subject, explanation: Explanation
    ) -> MessageContent:
        prediction = predictions.get_prediction(unit, subject.prediction_id)
        if prediction is None:
            # The text was deleted in the meantime.
            return MessageContent(incoming.texts.why_gone)
        named = explanation.strongest
        part = quote(subject.message.parts, explanation.passage, named.word.spans[0] if named else None)
        corrected = self._verdicts.is_corrected(unit, prediction)
        text = render_why(incoming.texts, Why(explanation, prediction, corrected, subject.message.text, part.span))
        quoted = QuotedMessage(part.telegram_message_id)
        if explanation.verdict.windows > 1:
            quoted = QuotedMessage(part.telegram_message_id, part.text, part.position)
        return MessageContent(text, prediction_id=prediction.id, person_id=prediction.person_id, quoted_message=quoted)


def _find_subject(unit: UnitOfWork, incoming: Incoming, prediction_id: int) -> _Subject | None:
    """Return the newest prediction for the text of ``prediction_id``, if the text was sent in this chat.

    Return None if the prediction was not shown, because the text didn't read like a review.
    """
    newest = predictions.get_prediction(unit, predictions.newest_prediction(unit, prediction_id))
    if newest is None or newest.chat_id != incoming.chat_id or newest.abstention is Abstention.SHOWN:
        return None
    message = messages.get_message(unit, newest.message_id)
    return None if message is None else _Subject(newest.id, message)


def _reply(unit: UnitOfWork, incoming: Incoming, content: MessageContent) -> None:
    send(unit, incoming, content)
    incoming.finish(unit)
