"""``/history`` shows a person's messages with their verdicts, one page at a time. Free of Telegram types."""

from typing import Final

from bot.database import AsyncDatabase
from bot.formatting import THUMBS, confidence_suffix, excerpt, truncate
from bot.incoming import Incoming, Tap
from bot.privacy.history_buttons import HistoryAction, HistoryTap, page_keyboard, question_keyboard
from bot.privacy.shown_texts import with_models, withdraw_shown_texts
from bot.sending.replies import MessageContent, edit, send
from bot.texts import Texts, fill
from storage.chat import history, messages, predictions
from storage.chat.history import HistoryEntry, HistoryPage
from storage.chat.people import Person
from storage.chat.predictions import Prediction
from storage.db.database import UnitOfWork
from storage.db.states import Abstention, Vote
from storage.feedback import votes
from storage.feedback.votes import OPPOSITE
from storage.privacy.deletions import DeletionList
from storage.privacy.message_erasure import erase_message, revisions_of
from storage.training import snapshots

# Maximum number of characters to show from each message on a page.
_LINE_LENGTH: Final = 200


class HistoryDialog:
    """Shows pages and deletes messages. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase, deletions: DeletionList) -> None:
        self._database = database
        self._deletions = deletions

    async def start(self, incoming: Incoming) -> None:
        """Show the newest page in a new message."""

        def work(unit: UnitOfWork) -> None:
            person = incoming.sender.upsert(unit)
            send(
                unit, incoming, _page(unit, incoming.texts, person, history.page_from(unit, person.id, incoming.bot_id))
            )
            incoming.finish(unit)

        await self._database.write(work)

    async def handle_tap(self, tap: Tap, history_tap: HistoryTap) -> None:
        """Show another page, ask whether to delete a message, or delete it, in the tapped message."""

        def work(unit: UnitOfWork) -> None:
            person = tap.incoming.sender.upsert(unit)
            edit(unit, tap.incoming, tap.telegram_message_id, self._respond(unit, tap.incoming, person, history_tap))
            tap.incoming.finish(unit)

        await self._database.write(work)

    def _respond(self, unit: UnitOfWork, incoming: Incoming, person: Person, tap: HistoryTap) -> MessageContent:
        texts, message_id = incoming.texts, tap.message_id
        if tap.action in {HistoryAction.ASK, HistoryAction.DELETE}:
            message = messages.get_message(unit, message_id)
            if message is None or message.person_id != person.id:
                return _from(unit, incoming, person, message_id, texts.history_gone)
            if tap.action is HistoryAction.ASK:
                question = fill(texts.history_question, text=excerpt(message.text))
                return MessageContent(question, question_keyboard(texts, message_id), message.prediction_id, person.id)
            return _from(unit, incoming, person, message_id, self._delete(unit, incoming, message))
        turn = {HistoryAction.OLDER: history.page_before, HistoryAction.NEWER: history.page_after}
        page = turn.get(tap.action, history.page_from)(unit, person.id, incoming.bot_id, message_id)
        return _page(unit, texts, person, page)

    def _delete(self, unit: UnitOfWork, incoming: Incoming, message: messages.StoredMessage) -> str:
        """Delete a single message in the same way that /deleteme deletes everything, and return the confirmation."""
        revisions = revisions_of(unit, message.id)
        versions = snapshots.versions_that_saw_messages(unit, revisions)
        withdraw_shown_texts(unit, incoming.sender.telegram_id, revisions)
        place = incoming.bot_id, message.chat_id, message.parts[0].telegram_message_id
        self._deletions.add_message(unit, *place)
        erased = erase_message(unit, message.id)
        texts = incoming.texts
        done = fill(texts.history_deleted, own_votes=erased.own_votes, other_votes=erased.other_votes)
        return with_models(done, texts, versions)


def _from(unit: UnitOfWork, incoming: Incoming, person: Person, message_id: int, note: str) -> MessageContent:
    """Return the page that starts at a deleted message's position, with a note above it."""
    page = history.page_from(unit, person.id, incoming.bot_id, message_id)
    if not page.entries:
        page = history.page_from(unit, person.id, incoming.bot_id)
    return _page(unit, incoming.texts, person, page, note)


def _page(unit: UnitOfWork, texts: Texts, person: Person, page: HistoryPage, note: str | None = None) -> MessageContent:
    title = texts.history_title if page.entries else texts.history_none
    entries = [_entry(unit, texts, person, number, entry) for number, entry in enumerate(page.entries, 1)]
    text = "\n\n".join([*([note] if note else []), title, *entries])
    return MessageContent(text, page_keyboard(texts, page), person_id=person.id)


def _entry(unit: UnitOfWork, texts: Texts, person: Person, number: int, entry: HistoryEntry) -> str:
    message = entry.message
    prediction = None if message.prediction_id is None else predictions.get_prediction(unit, message.prediction_id)
    verdict = "" if prediction is None else _verdict(unit, texts, person, prediction)
    line = truncate(" ".join(message.text.split()), _LINE_LENGTH)
    written_at = f"{entry.written_at:%Y-%m-%d %H:%M}"
    return f"{fill(texts.history_entry, number=number, at=written_at, text=line)}\n{verdict}".rstrip()


def _verdict(unit: UnitOfWork, texts: Texts, person: Person, prediction: Prediction) -> str:
    """Return the verdict as it was shown, and the person's vote on it."""
    if prediction.abstention is Abstention.SHOWN:
        return texts.not_a_review
    label = OPPOSITE[prediction.label] if prediction.corrected else prediction.label
    if prediction.corrected:
        verdict = fill(texts.verdict_corrected, thumb=THUMBS[label], label=label)
    else:
        template = texts.verdict_sure if prediction.sure else texts.verdict_unsure
        confidence = confidence_suffix(prediction.confidence, shown=person.shows_percentages)
        verdict = fill(template, thumb=THUMBS[label], label=label, confidence=confidence)
    stored = votes.vote_of(unit, person.id, prediction.id)
    said = {
        Vote.RIGHT: texts.history_vote_right,
        Vote.WRONG: texts.history_vote_wrong,
        Vote.NEITHER: texts.history_vote_neither,
    }
    return verdict if stored is None else f"{verdict}\n{said[stored.vote_on(label)]}"
