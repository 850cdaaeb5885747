"""Handlers for the person who sends reviews."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from telegram import CallbackQuery, MaybeInaccessibleMessage, Update
from telegram.error import BadRequest
from telegram.ext import (
    BaseHandler,
    CallbackQueryHandler,
    CommandHandler,
    MessageHandler,
    TypeHandler,
    filters,
)

from bot import keyboards
from bot.answering import Answering, Received, Sender, say
from bot.handlers.reading import Context, pieces_of, received, written
from bot.inbox import JoinedText
from bot.judging import Tap, Votes
from bot.keyboards import Kind
from bot.outbox import Outbox
from bot.privacy import Privacy
from bot.store import Store
from bot.texts import Texts, fill

Handlers = Iterable[BaseHandler[Any, Any, Any]]

COMMANDS: Final = ("start", "help", "privacy", "consent", "deleteme")
_NOBODY: Final = Sender(0, "", None)


class PersonHandlers:
    """What anyone can do in a private chat."""

    def __init__(self, store: Store, outbox: Outbox, answering: Answering, votes: Votes, privacy: Privacy) -> None:
        self._store = store
        self._outbox = outbox
        self._answering = answering
        self._votes = votes
        self._privacy = privacy

    def table(self) -> Handlers:
        """Every handler, first match first; the last takes what is left."""
        private = filters.ChatType.PRIVATE
        new = private & filters.UpdateType.MESSAGE
        own: Mapping[str, Any] = {
            "start": self.start,
            "help": self.help,
            "privacy": self.privacy,
            "consent": self.consent,
            "deleteme": self.delete_me,
        }
        return [
            TypeHandler(JoinedText, self.text),
            *(CommandHandler(name, own[name], filters=new) for name in COMMANDS),
            MessageHandler(new & filters.COMMAND, self.unknown_command),
            MessageHandler(new & filters.TEXT, self.text),
            MessageHandler(private & filters.UpdateType.EDITED_MESSAGE & filters.TEXT, self.edited_text),
            MessageHandler(new, self.no_text),
            CallbackQueryHandler(self.judge, pattern=keyboards.pattern(Kind.JUDGE)),
            CallbackQueryHandler(self.set_consent, pattern=keyboards.pattern(Kind.CONSENT)),
            CallbackQueryHandler(self.delete, pattern=keyboards.pattern(Kind.DELETE)),
            TypeHandler(Update, self.ignore),
        ]

    async def text(self, update: Update | JoinedText, _: Context) -> None:
        """A review, whole or in pieces."""
        await self._outbox.send(await self._answering.answer(written(pieces_of(update))))

    async def edited_text(self, update: Update, _: Context) -> None:
        """An edited review: its answer follows."""
        await self._outbox.send(await self._answering.revise(written([update])))

    async def no_text(self, update: Update, _: Context) -> None:
        """A picture, a recording, a sticker or anything else without text."""
        about = received([update])
        await self._say(about, _sentence_for(update, about.sender.texts))

    async def start(self, update: Update, _: Context) -> None:
        """``/start``."""
        about = received([update])
        await self._say(about, fill(about.sender.texts.start, name=about.sender.name))

    async def help(self, update: Update, _: Context) -> None:
        """``/help``."""
        about = received([update])
        await self._say(about, about.sender.texts.help)

    async def privacy(self, update: Update, _: Context) -> None:
        """``/privacy``."""
        await self._outbox.send(await self._privacy.explain(received([update])))

    async def consent(self, update: Update, _: Context) -> None:
        """``/consent``."""
        await self._outbox.send(await self._privacy.ask_consent(received([update])))

    async def delete_me(self, update: Update, _: Context) -> None:
        """``/deleteme``."""
        await self._outbox.send(await self._privacy.ask_deletion(received([update])))

    async def unknown_command(self, update: Update, _: Context) -> None:
        """A command that there is not."""
        about = received([update])
        await self._say(about, about.sender.texts.unknown_command)

    async def judge(self, update: Update, _: Context) -> None:
        """A tap under a verdict."""
        query = await _answered(update)
        await self._outbox.send(await self._votes.judge(_tap(update, query), keyboards.read_judging(query.data or "")))

    async def set_consent(self, update: Update, _: Context) -> None:
        """A tap under the question for consent."""
        query = await _answered(update)
        granted = query.data == f"{Kind.CONSENT}:yes"
        await self._outbox.send(await self._privacy.set_consent(_tap(update, query), granted))

    async def delete(self, update: Update, _: Context) -> None:
        """A tap under the question for deletion."""
        query = await _answered(update)
        confirmed = query.data == f"{Kind.DELETE}:yes"
        await self._outbox.send(await self._privacy.delete(_tap(update, query), confirmed))

    async def ignore(self, update: Update, _: Context) -> None:
        """Everything that is not for this bot, such as groups: handled by doing nothing."""
        if update.callback_query is not None:
            await _answered(update)
        await self._store.write(Received(update.get_bot().id, (update.update_id,), 0, _NOBODY).done)

    async def _say(self, about: Received, text: str) -> None:
        await self._outbox.send([await self._store.write(lambda unit: say(unit, about, text))])


def _sentence_for(update: Update, texts: Texts) -> str:
    message = update.effective_message
    if message is None:
        return texts.other_content
    if message.photo:
        return texts.photo
    if message.voice or message.audio or message.video_note:
        return texts.voice
    return texts.sticker if message.sticker else texts.other_content


async def _answered(update: Update) -> CallbackQuery:
    """Answer the tap at once, so that the app stops its spinner; the work follows, also for one that is too old."""
    query = update.callback_query
    if query is None:
        raise ValueError(f"update {update.update_id} is no tap")
    with suppress(BadRequest):
        await query.answer()
    return query


def _tap(update: Update, query: CallbackQuery) -> Tap:
    message: MaybeInaccessibleMessage | None = query.message
    if message is None:
        raise ValueError(f"update {update.update_id}: the tap names no message")
    return Tap(received([update]), message.message_id)
