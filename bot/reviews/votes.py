"""Votes on verdicts, and the question for consent that follows the first. Knows no Telegram types."""

from bot.database import AsyncDatabase
from bot.privacy.buttons import consent_keyboard
from bot.reviews.buttons import VoteTap, verdict_keyboard
from bot.reviews.verdict import render_verdict, verdict_content
from bot.texts import CONSENT_WORDING
from bot.transport.conversation import Incoming, MessageContent, Tap, edit, send
from storage.chat import predictions
from storage.chat.people import Person
from storage.db.database import UnitOfWork
from storage.db.states import Consent
from storage.feedback import votes
from storage.privacy import consent


class VoteRecorder:
    """Keeps votes; what it owes is committed when a method returns."""

    def __init__(self, store: AsyncDatabase) -> None:
        self._store = store

    async def handle_tap(self, tap: Tap, judging: VoteTap) -> None:
        """Keep, change or undo a vote, and show it in the message."""

        def work(unit: UnitOfWork) -> None:
            _judge(unit, tap, judging)
            tap.incoming.finish(unit)

        await self._store.write(work)


def _judge(unit: UnitOfWork, tap: Tap, judging: VoteTap) -> None:
    received, texts = tap.incoming, tap.incoming.texts
    prediction = predictions.get_prediction(unit, judging.prediction_id)
    if prediction is None or prediction.chat_id != received.chat_id:
        edit(unit, received, tap.telegram_message_id, MessageContent(texts.judgement_gone))
        return
    person = received.sender.upsert(unit)
    newest = predictions.newest_prediction(unit, prediction.id)
    if newest != prediction.id:
        # The text was edited while the tap was on its way: the words that it is about are gone.
        edit(unit, received, tap.telegram_message_id, verdict_content(unit, received, person, newest))
        return
    text = render_verdict(texts, prediction, judging.vote)
    if judging.vote is None:
        votes.undo_vote(unit, person.id, prediction.id)
        text += f"\n\n{texts.judgement_undone}"
    else:
        votes.record_vote(unit, person.id, prediction.id, judging.vote)
    keyboard = verdict_keyboard(texts, prediction.id, judging.vote)
    edit(unit, received, tap.telegram_message_id, MessageContent(text, keyboard, prediction.id, person.id))
    if judging.vote is not None:
        _ask_consent_once(unit, received, person)


def _ask_consent_once(unit: UnitOfWork, received: Incoming, person: Person) -> None:
    if consent.consent_of(unit, person.id) is Consent.NEVER_ASKED:
        consent.record_consent(unit, person.id, Consent.ASKED, CONSENT_WORDING)
        keyboard = consent_keyboard(received.texts, granted=False)
        send(unit, received, MessageContent(received.texts.consent_question, keyboard, person_id=person.id))
