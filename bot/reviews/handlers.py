"""Handlers for reviews and general commands, open to everyone in private chats."""

from typing import Final

from telegram import Update
from telegram.ext import CallbackQueryHandler, CommandHandler, MessageHandler, TypeHandler, filters

from bot.access import Access, Handler
from bot.database import AsyncDatabase
from bot.incoming import Incoming
from bot.receiving.message_parts import Post
from bot.receiving.update_parsing import (
    Context,
    parse_incoming,
    parse_replied_message,
    parse_tap,
    parse_text,
    updates_in,
)
from bot.reviews.answers import ReviewResponder
from bot.reviews.buttons import (
    ABSTENTION_PATTERN,
    CORRECTED_PATTERN,
    EXPLANATION_PATTERN,
    QUESTION_PATTERN,
    REASON_PATTERN,
    VOTE_PATTERN,
    parse_abstention_tap,
    parse_corrected_tap,
    parse_explanation_tap,
    parse_question_tap,
    parse_reason_tap,
    parse_vote_tap,
)
from bot.reviews.explanations import ExplanationResponder
from bot.reviews.votes import VoteRecorder
from bot.sending.replies import MessageContent, send
from bot.texts import Texts, fill
from storage.chat import inbox
from storage.db.database import UnitOfWork

COMMANDS: Final = ("start", "help", "why", "id")


class ReviewHandlers:
    """Handlers that anyone can use. Replies are enqueued before each handler returns."""

    def __init__(
        self,
        access: Access,
        database: AsyncDatabase,
        responder: ReviewResponder,
        votes: VoteRecorder,
        explanations: ExplanationResponder,
    ) -> None:
        self._access = access
        self._database = database
        self._responder = responder
        self._votes = votes
        self._explanations = explanations

    def handlers(self) -> list[Handler]:
        """Return all handlers, in the order in which PTB must try them. The last handler matches everything."""
        private = filters.ChatType.PRIVATE
        new = private & filters.UpdateType.MESSAGE
        edited = private & filters.UpdateType.EDITED_MESSAGE
        return [
            TypeHandler(Post, self.post),
            CommandHandler("start", self.start, filters=new),
            CommandHandler("help", self.help, filters=new),
            CommandHandler("why", self.why, filters=new),
            CommandHandler("id", self.id, filters=new),
            MessageHandler(new & filters.COMMAND, self.unknown_command),
            MessageHandler(edited & ~filters.COMMAND, self.edited_post),
            # Service messages, such as "pinned a message", come from Telegram and get no reply.
            MessageHandler(new & ~filters.StatusUpdate.ALL, self.post),
            CallbackQueryHandler(self.vote, pattern=VOTE_PATTERN),
            CallbackQueryHandler(self.on_corrected_tap, pattern=CORRECTED_PATTERN),
            CallbackQueryHandler(self.on_reason_tap, pattern=REASON_PATTERN),
            CallbackQueryHandler(self.on_question_tap, pattern=QUESTION_PATTERN),
            CallbackQueryHandler(self.on_explanation_tap, pattern=EXPLANATION_PATTERN),
            CallbackQueryHandler(self.on_abstention_tap, pattern=ABSTENTION_PATTERN),
            TypeHandler(Update, self.ignore),
        ]

    async def post(self, update: Update | Post, _: Context) -> None:
        """Reply to a review in the text or caption of one or more messages, or say that there is no text to read."""
        pieces = updates_in(update)
        text = parse_text(pieces)
        if text.text:
            await self._responder.answer(text)
        else:
            await self._responder.refuse(text, _refusal_of(pieces[0], text.incoming.texts))

    async def edited_post(self, update: Update, _: Context) -> None:
        """Update the verdict on an edited review."""
        await self._responder.revise(parse_text([update]))

    async def start(self, update: Update, _: Context) -> None:
        """Handle ``/start``."""
        incoming = parse_incoming([update])
        await self._send(incoming, fill(incoming.texts.start, name=incoming.sender.name))

    async def help(self, update: Update, _: Context) -> None:
        """Handle ``/help``. Admins also get the list of their commands."""
        incoming = parse_incoming([update])
        texts = incoming.texts
        is_admin = self._access.allows(update)
        await self._send(incoming, f"{texts.help}\n\n{texts.help_admin}" if is_admin else texts.help)

    async def why(self, update: Update, _: Context) -> None:
        """Handle ``/why``: explain the verdict that the command replies to, or the newest one."""
        incoming, replied = parse_incoming([update]), parse_replied_message(update)
        if replied is None:
            await self._explanations.explain_newest(incoming)
        else:
            await self._explanations.explain_message(incoming, replied)

    async def id(self, update: Update, _: Context) -> None:
        """Handle ``/id``: reply with the sender's Telegram id, in the format that ADMIN_IDS expects."""
        incoming = parse_incoming([update])
        await self._send(incoming, fill(incoming.texts.your_id, telegram_id=incoming.sender.telegram_id))

    async def unknown_command(self, update: Update, _: Context) -> None:
        """Answer an unknown command."""
        incoming = parse_incoming([update])
        await self._send(incoming, incoming.texts.unknown_command)

    async def vote(self, update: Update, _: Context) -> None:
        """Handle a tap under a verdict."""
        await self._votes.handle_tap(*parse_tap(update, parse_vote_tap))

    async def on_corrected_tap(self, update: Update, _: Context) -> None:
        """Handle a tap under an agreed label, or on the button that shows that label."""
        await self._votes.handle_corrected_tap(*parse_tap(update, parse_corrected_tap))

    async def on_reason_tap(self, update: Update, _: Context) -> None:
        """Handle a tap on a reason for a vote."""
        await self._votes.handle_reason_tap(*parse_tap(update, parse_reason_tap))

    async def on_question_tap(self, update: Update, _: Context) -> None:
        """Handle a tap on the button that turns off questions about verdicts."""
        await self._votes.handle_question_tap(*parse_tap(update, parse_question_tap))

    async def on_explanation_tap(self, update: Update, _: Context) -> None:
        """Handle a tap on the button that asks why."""
        tap, prediction_id = parse_tap(update, parse_explanation_tap)
        await self._explanations.explain_prediction(tap.incoming, prediction_id)

    async def on_abstention_tap(self, update: Update, _: Context) -> None:
        """Handle a tap confirming that a text is a review."""
        await self._votes.handle_abstention_tap(*parse_tap(update, parse_abstention_tap))

    async def ignore(self, update: Update | Post, _: Context) -> None:
        """Mark updates that are not for this bot, such as one from a group, as handled."""
        pieces = updates_in(update)
        bot_id = pieces[0].get_bot().id

        def work(unit: UnitOfWork) -> None:
            for piece in pieces:
                inbox.finish(unit, bot_id, piece.update_id)

        await self._database.write(work)

    async def _send(self, incoming: Incoming, text: str) -> None:
        def work(unit: UnitOfWork) -> None:
            send(unit, incoming, MessageContent(text))
            incoming.finish(unit)

        await self._database.write(work)


def _refusal_of(update: Update, texts: Texts) -> str:
    message = update.effective_message
    if message is None:
        return texts.other_content
    if message.photo:
        return texts.photo
    if message.voice or message.audio or message.video_note:
        return texts.voice
    return texts.sticker if message.sticker else texts.other_content
