"""Handlers for the person who sends reviews."""

from typing import Final

from telegram import Update
from telegram.ext import CallbackQueryHandler, CommandHandler, MessageHandler, TypeHandler, filters

from bot.access import Handler
from bot.database import Store
from bot.reviews.answers import Answering
from bot.reviews.buttons import JUDGE_PATTERN, read_judging
from bot.reviews.votes import Votes
from bot.texts import Texts, fill
from bot.transport.conversation import Received, Shown, say
from bot.transport.message_parts import JoinedText
from bot.transport.update_parsing import Context, pieces_of, received, tapped, written
from storage.chat import inbox
from storage.db.database import Unit

COMMANDS: Final = ("start", "help")


class PersonHandlers:
    """What anyone can do in a private chat; what is owed is committed when a handler returns."""

    def __init__(self, store: Store, answering: Answering, votes: Votes) -> None:
        self._store = store
        self._answering = answering
        self._votes = votes

    def table(self) -> list[Handler]:
        """Every handler, first match first; the last takes what is left."""
        private = filters.ChatType.PRIVATE
        new = private & filters.UpdateType.MESSAGE
        edited = private & filters.UpdateType.EDITED_MESSAGE
        return [
            TypeHandler(JoinedText, self.text),
            CommandHandler("start", self.start, filters=new),
            CommandHandler("help", self.help, filters=new),
            MessageHandler(new & filters.COMMAND, self.unknown_command),
            MessageHandler(new & filters.TEXT, self.text),
            MessageHandler(edited & filters.TEXT & ~filters.COMMAND, self.edited_text),
            # What Telegram itself says in the chat, such as that a message was pinned, is nobody's text.
            MessageHandler(new & ~filters.StatusUpdate.ALL, self.no_text),
            CallbackQueryHandler(self.judge, pattern=JUDGE_PATTERN),
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

    async def unknown_command(self, update: Update, _: Context) -> None:
        """A command that there is not."""
        about = received([update])
        await self._say(about, about.texts.unknown_command)

    async def judge(self, update: Update, _: Context) -> None:
        """A tap under a verdict."""
        await self._votes.judge(*tapped(update, read_judging))

    async def ignore(self, update: Update, _: Context) -> None:
        """Everything that is not for this bot, such as groups: handled by doing nothing."""
        bot_id = update.get_bot().id
        await self._store.write(lambda unit: inbox.finish(unit, bot_id, update.update_id))

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
