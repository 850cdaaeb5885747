"""Handlers for the person who sends reviews."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from telegram import Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler, MessageHandler, TypeHandler, filters

from bot import keyboards
from bot.answering import Answering
from bot.handlers.reading import Context, pieces_of, received, tapped, written
from bot.joining import JoinedText
from bot.judging import Votes
from bot.keyboards import Kind
from bot.owing import Received, Shown, say
from bot.privacy import Privacy
from bot.store import Store
from bot.texts import Texts, fill
from storage import updates
from storage.database import Unit

Handlers = Iterable[BaseHandler[Any, Any, Any]]

COMMANDS: Final = ("start", "help", "privacy", "consent", "deleteme")


class PersonHandlers:
    """What anyone can do in a private chat; what is owed is committed when a handler returns."""

    def __init__(self, store: Store, answering: Answering, votes: Votes, privacy: Privacy) -> None:
        self._store = store
        self._answering = answering
        self._votes = votes
        self._privacy = privacy

    def table(self) -> Handlers:
        """Every handler, first match first; the last takes what is left."""
        private = filters.ChatType.PRIVATE
        new = private & filters.UpdateType.MESSAGE
        edited = private & filters.UpdateType.EDITED_MESSAGE
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
            MessageHandler(edited & filters.TEXT & ~filters.COMMAND, self.edited_text),
            # What Telegram itself says in the chat, such as that a message was pinned, is nobody's text.
            MessageHandler(new & ~filters.StatusUpdate.ALL, self.no_text),
            CallbackQueryHandler(self.judge, pattern=keyboards.pattern(Kind.JUDGE)),
            CallbackQueryHandler(self.set_consent, pattern=keyboards.pattern(Kind.CONSENT)),
            CallbackQueryHandler(self.set_notices, pattern=keyboards.pattern(Kind.NOTICES)),
            CallbackQueryHandler(self.delete, pattern=keyboards.pattern(Kind.DELETE)),
            TypeHandler(Update, self.ignore),
        ]

    async def text(self, update: Update | JoinedText, _: Context) -> None:
        """A review, whole or in pieces."""
        await self._answering.answer(written(pieces_of(update)))

    async def edited_text(self, update: Update, _: Context) -> None:
        """An edited review: its answer follows."""
        await self._answering.revise(written([update]))

    async def no_text(self, update: Update, _: Context) -> None:
        """A picture, a recording, a sticker or anything else without text."""
        about = received([update])
        await self._say(about, _sentence_for(update, about.texts))

    async def start(self, update: Update, _: Context) -> None:
        """``/start``."""
        about = received([update])
        await self._say(about, fill(about.texts.start, name=about.sender.name))

    async def help(self, update: Update, _: Context) -> None:
        """``/help``."""
        about = received([update])
        await self._say(about, about.texts.help)

    async def privacy(self, update: Update, _: Context) -> None:
        """``/privacy``."""
        await self._privacy.explain(received([update]))

    async def consent(self, update: Update, _: Context) -> None:
        """``/consent``."""
        await self._privacy.ask_consent(received([update]))

    async def delete_me(self, update: Update, _: Context) -> None:
        """``/deleteme``."""
        await self._privacy.ask_deletion(received([update]))

    async def unknown_command(self, update: Update, _: Context) -> None:
        """A command that there is not."""
        about = received([update])
        await self._say(about, about.texts.unknown_command)

    async def judge(self, update: Update, _: Context) -> None:
        """A tap under a verdict."""
        await self._votes.judge(*tapped(update, keyboards.read_judging))

    async def set_consent(self, update: Update, _: Context) -> None:
        """A tap under the question for consent."""
        await self._privacy.set_consent(*tapped(update, keyboards.read_consenting))

    async def set_notices(self, update: Update, _: Context) -> None:
        """A tap under the question whether to tell of corrections, or under what was told."""
        await self._privacy.set_notices(*tapped(update, keyboards.read_consenting))

    async def delete(self, update: Update, _: Context) -> None:
        """A tap under the question for deletion."""
        await self._privacy.delete(*tapped(update, keyboards.read_deleting))

    async def ignore(self, update: Update, _: Context) -> None:
        """Everything that is not for this bot, such as groups: handled by doing nothing."""
        bot_id = update.get_bot().id
        await self._store.write(lambda unit: updates.finish(unit, bot_id, update.update_id))

    async def _say(self, about: Received, text: str) -> None:
        def work(unit: Unit) -> None:
            say(unit, about, Shown(text))
            about.done(unit)

        await self._store.write(work)


def _sentence_for(update: Update, texts: Texts) -> str:
    message = update.effective_message
    if message is None:
        return texts.other_content
    if message.photo:
        return texts.photo
    if message.voice or message.audio or message.video_note:
        return texts.voice
    return texts.sticker if message.sticker else texts.other_content
