"""Votes on verdicts, and the question about consent after the first vote. Free of Telegram types."""

from bot.database import AsyncDatabase
from bot.incoming import Incoming, Tap
from bot.privacy.buttons import consent_keyboard
from bot.reviews.buttons import VoteTap, verdict_keyboard
from bot.reviews.verdict import render_verdict, verdict_content
from bot.sending.replies import MessageContent, edit, send
from bot.texts import CONSENT_WORDING
from storage.chat import predictions
from storage.chat.people import Person
from storage.db.database import UnitOfWork
from storage.db.states import Consent
from storage.feedback import votes
from storage.privacy import consent


class VoteRecorder:
    """Records votes. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase) -> None:
        self._database = database

    async def handle_tap(self, tap: Tap, vote_tap: VoteTap) -> None:
        """Record, change or undo a vote, and show it in the message."""

        def work(unit: UnitOfWork) -> None:
            _record(unit, tap, vote_tap)
            tap.incoming.finish(unit)

        await self._database.write(work)


def _record(unit: UnitOfWork, tap: Tap, vote_tap: VoteTap) -> None:
    incoming, texts = tap.incoming, tap.incoming.texts
    prediction = predictions.get_prediction(unit, vote_tap.prediction_id)
    if prediction is None or prediction.chat_id != incoming.chat_id:
        edit(unit, incoming, tap.telegram_message_id, MessageContent(texts.vote_gone))
        return
    person = incoming.sender.upsert(unit)
    newest = predictions.newest_prediction(unit, prediction.id)
    if newest != prediction.id:
        # The text was edited before the tap arrived, so the vote is on a text that no longer exists.
        edit(unit, incoming, tap.telegram_message_id, verdict_content(unit, incoming, person, newest))
        return
    text = render_verdict(texts, prediction, vote_tap.vote)
    if vote_tap.vote is None:
        votes.undo_vote(unit, person.id, prediction.id)
        text += f"\n\n{texts.vote_undone}"
    else:
        votes.record_vote(unit, person.id, prediction.id, vote_tap.vote)
    keyboard = verdict_keyboard(texts, prediction.id, vote_tap.vote)
    edit(unit, incoming, tap.telegram_message_id, MessageContent(text, keyboard, prediction.id, person.id))
    if vote_tap.vote is not None:
        _ask_consent_once(unit, incoming, person)


def _ask_consent_once(unit: UnitOfWork, incoming: Incoming, person: Person) -> None:
    if consent.consent_of(unit, person.id) is Consent.NEVER_ASKED:
        consent.record_consent(unit, person.id, Consent.ASKED, CONSENT_WORDING)
        keyboard = consent_keyboard(incoming.texts, granted=False)
        send(unit, incoming, MessageContent(incoming.texts.consent_question, keyboard, person_id=person.id))
