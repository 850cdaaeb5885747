"""A text in, a verdict owed: reads, remembers and composes the reply. Knows no Telegram types."""

from dataclasses import dataclass
from typing import Any, Final

from bot.keyboards import verdict_keyboard
from bot.live_model import LiveModel
from bot.rendering import render_verdict
from bot.store import Store
from bot.texts import Texts, fill, texts_for
from ml.language import foreign_language
from ml.plain_text import Content, content_of
from ml.prediction import Verdict
from storage import judgements, messages, people, predictions, replies, updates
from storage.database import Unit
from storage.messages import Part, StoredMessage

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote, as Telegram names them."""

    telegram_id: int
    name: str
    language: str | None

    @property
    def texts(self) -> Texts:
        """The bot's sentences in the sender's language."""
        return texts_for(self.language)


@dataclass(frozen=True, slots=True)
class Received:
    """What every piece of work needs to know of the updates that it answers."""

    bot_id: int
    update_ids: tuple[int, ...]
    chat_id: int
    sender: Sender

    def done(self, unit: Unit) -> None:
        """Mark the updates as handled, in the unit of work that holds what came of them."""
        for update_id in self.update_ids:
            updates.finish(unit, self.bot_id, update_id)


@dataclass(frozen=True, slots=True)
class Written:
    """A text that a person sent: one part, or several that their app split it into."""

    received: Received
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The whole text."""
        return messages.joined(self.parts)


class Answering:
    """Answers texts; each method returns the ids of the replies that it now owes."""

    def __init__(self, store: Store, model: LiveModel) -> None:
        self._store = store
        self._model = model

    async def answer(self, written: Written) -> list[int]:
        """Answer a new text with a verdict, or say why it gets none."""
        refusal = why_not(written.text, written.received.sender.texts)
        if refusal is not None:
            return [await self._store.write(lambda unit: say(unit, written.received, refusal, written.parts[0]))]
        verdict = await self._model.verdict(written.text)
        return [await self._store.write(lambda unit: self._remember(unit, written, verdict, None))]

    async def revise(self, edited: Written) -> list[int]:
        """Answer an edited message: its part of the text is replaced, and the reply that shows the verdict follows."""
        found = await self._store.read(lambda unit: _stored(unit, edited))
        if found is None:
            return await self.answer(edited)
        revised = Written(edited.received, _replaced(found.parts, edited.parts[0]))
        if revised.text == found.text:
            return [await self._store.write(lambda unit: _show_again(unit, edited.received, found))]
        refusal = why_not(revised.text, edited.received.sender.texts)
        if refusal is not None:
            return [await self._store.write(lambda unit: _show(unit, revised.received, found, {"text": refusal}))]
        verdict = await self._model.verdict(revised.text)
        return [await self._store.write(lambda unit: self._remember(unit, revised, verdict, found))]

    def _remember(self, unit: Unit, written: Written, verdict: Verdict, old: StoredMessage | None) -> int:
        """One transaction: the text, the prediction, the reply that is owed, and the updates as done."""
        received = written.received
        sender = received.sender
        person = people.meet(unit, sender.telegram_id, sender.name, sender.language)
        revises = old.id if old else None
        message_id = messages.store_message(
            unit, person.id, received.bot_id, received.chat_id, written.parts, revises=revises
        )
        prediction_id = predictions.store_prediction(
            unit,
            message_id,
            self._model.version,
            verdict.label,
            verdict.confidence,
            verdict.sure,
            verdict.windows,
            verdict.logits,
            replaces=old.prediction_id if old else None,
        )
        prediction = predictions.get_prediction(unit, prediction_id)
        assert prediction is not None  # noqa: S101 - it was stored in this transaction
        shown: Payload = {
            "text": render_verdict(sender.texts, prediction),
            "reply_markup": verdict_keyboard(sender.texts, prediction_id, None),
        }
        if old is not None:
            return _show(unit, received, old, shown, person.id, prediction_id)
        return say(unit, received, shown["text"], written.parts[0], shown["reply_markup"], person.id, prediction_id)


def why_not(text: str, texts: Texts) -> str | None:
    """The sentence for a text that gets no verdict: no words, or another language; None for a text that does."""
    without_words: Final = {Content.EMPTY: texts.empty, Content.EMOJI: texts.only_emoji, Content.LINK: texts.only_link}
    content = content_of(text)
    if content in without_words:
        return without_words[content]
    foreign = foreign_language(text)
    return fill(texts.foreign, language=foreign.name) if foreign else None


def say(  # noqa: PLR0913, PLR0917 - one argument a fact
    unit: Unit,
    received: Received,
    text: str,
    answers: Part | None = None,
    keyboard: Payload | None = None,
    person_id: int | None = None,
    prediction_id: int | None = None,
) -> int:
    """Owe a new message and mark the updates as done; the reply's id. ``answers`` is the message that it quotes."""
    payload: Payload = {"text": text, "parse_mode": "HTML"}
    if keyboard is not None:
        payload["reply_markup"] = keyboard
    if answers is not None:
        quoted = {"message_id": answers.telegram_message_id, "allow_sending_without_reply": True}
        payload["reply_parameters"] = quoted
    received.done(unit)
    return replies.enqueue(
        unit, received.bot_id, person_id, received.chat_id, "sendMessage", payload, prediction_id=prediction_id
    )


def change(  # noqa: PLR0913, PLR0917 - one argument a fact
    unit: Unit,
    received: Received,
    telegram_message_id: int,
    shown: Payload,
    person_id: int | None = None,
    prediction_id: int | None = None,
) -> int:
    """Owe an edit of one of the bot's messages and mark the updates as done; the reply's id."""
    payload = {"message_id": telegram_message_id, "parse_mode": "HTML", **shown}
    received.done(unit)
    return replies.enqueue(
        unit, received.bot_id, person_id, received.chat_id, "editMessageText", payload, prediction_id=prediction_id
    )


def _stored(unit: Unit, edited: Written) -> StoredMessage | None:
    received = edited.received
    number = edited.parts[0].telegram_message_id
    return messages.find_by_part(unit, received.bot_id, received.chat_id, number)


def _replaced(parts: tuple[Part, ...], edited: Part) -> tuple[Part, ...]:
    return tuple(edited if part.telegram_message_id == edited.telegram_message_id else part for part in parts)


def _show_again(unit: Unit, received: Received, stored: StoredMessage) -> int:
    """Show a text's verdict as it stands: apps also report an edit where the words are the same."""
    texts, sender = received.sender.texts, received.sender
    person = people.meet(unit, sender.telegram_id, sender.name, sender.language)
    prediction = predictions.get_prediction(unit, stored.prediction_id) if stored.prediction_id else None
    assert prediction is not None  # noqa: S101 - a text is stored with its prediction
    judgement = judgements.judgement_of(unit, person.id, prediction.id)
    chosen = judgement.verdict if judgement else None
    shown: Payload = {
        "text": render_verdict(texts, prediction, chosen),
        "reply_markup": verdict_keyboard(texts, prediction.id, chosen),
    }
    return _show(unit, received, stored, shown, person.id, prediction.id)


def _show(  # noqa: PLR0913, PLR0917 - one argument a fact
    unit: Unit,
    received: Received,
    old: StoredMessage,
    shown: Payload,
    person_id: int | None = None,
    prediction_id: int | None = None,
) -> int:
    """Edit the reply that shows the old text's verdict; where none is known to have arrived, send a new one."""
    shown_by = replies.reply_for_prediction(unit, old.prediction_id) if old.prediction_id else None
    if shown_by is not None and shown_by.telegram_message_id is not None:
        return change(unit, received, shown_by.telegram_message_id, shown, person_id, prediction_id)
    keyboard = shown.get("reply_markup")
    return say(unit, received, shown["text"], old.parts[0], keyboard, person_id, prediction_id)
