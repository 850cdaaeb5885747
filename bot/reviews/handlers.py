"""Handlers for the person who sends reviews."""

from typing import Final

from telegram import Update
from telegram.ext import CallbackQueryHandler, CommandHandler, MessageHandler, TypeHandler, filters

from bot.access import Handler
from bot.database import AsyncDatabase
from bot.reviews.answers import ReviewResponder
from bot.reviews.buttons import VOTE_PATTERN, parse_vote_tap
from bot.reviews.votes import VoteRecorder
from bot.texts import Texts, fill
from bot.transport.conversation import Incoming, MessageContent, send
from bot.transport.message_parts import JoinedText
from bot.transport.update_parsing import Context, parse_incoming, parse_tap, parse_text, updates_in
from storage.chat import inbox
from storage.db.database import UnitOfWork

COMMANDS: Final = ("start", "help")


class ReviewHandlers:
    """What anyone can do in a private chat; what is owed is committed when a handler returns."""

    def __init__(self, store: AsyncDatabase, answering: ReviewResponder, votes: VoteRecorder) -> None:
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
            CallbackQueryHandler(self.vote, pattern=VOTE_PATTERN),
            TypeHandler(Update, self.ignore),
        ]

    async def text(self, update: Update | JoinedText, _: Context) -> None:
        """A review, whole or in pieces."""
        await self._answering.answer(parse_text(updates_in(update)))

    async def edited_text(self, update: Update, _: Context) -> None:
        """An edited review: its answer follows."""
        await self._answering.revise(parse_text([update]))

    async def no_text(self, update: Update, _: Context) -> None:
        """A picture, a recording, a sticker or anything else without text."""
        about = parse_incoming([update])
        await self._say(about, _sentence_for(update, about.texts))

    async def start(self, update: Update, _: Context) -> None:
        """``/start``."""
        about = parse_incoming([update])
        await self._say(about, fill(about.texts.start, name=about.sender.name))

    async def help(self, update: Update, _: Context) -> None:
        """``/help``."""
        about = parse_incoming([update])
        await self._say(about, about.texts.help)

    async def unknown_command(self, update: Update, _: Context) -> None:
        """A command that there is not."""
        about = parse_incoming([update])
        await self._say(about, about.texts.unknown_command)

    async def vote(self, update: Update, _: Context) -> None:
        """A tap under a verdict."""
        await self._votes.handle_tap(*parse_tap(update, parse_vote_tap))

    async def ignore(self, update: Update, _: Context) -> None:
        """Everything that is not for this bot, such as groups: handled by doing nothing."""
        bot_id = update.get_bot().id
        await self._store.write(lambda unit: inbox.finish(unit, bot_id, update.update_id))

    async def _say(self, about: Incoming, text: str) -> None:
        def work(unit: UnitOfWork) -> None:
            send(unit, about, MessageContent(text))
            about.finish(unit)

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
