"""Votes on verdicts, and the question for consent that follows the first. Knows no Telegram types."""

from bot.database import Store
from bot.privacy.buttons import consent_keyboard
from bot.reviews.buttons import Judging, verdict_keyboard
from bot.reviews.verdict import render_verdict, verdict_shown
from bot.texts import CONSENT_WORDING
from bot.transport.conversation import Received, Shown, Tap, change, say
from storage.chat import predictions
from storage.chat.people import Person
from storage.db.database import Unit
from storage.db.states import Consent
from storage.feedback import votes
from storage.privacy import consent


class Votes:
    """Keeps votes; what it owes is committed when a method returns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def judge(self, tap: Tap, judging: Judging) -> None:
        """Keep, change or undo a vote, and show it in the message."""

        def work(unit: Unit) -> None:
            _judge(unit, tap, judging)
            tap.received.done(unit)

        await self._store.write(work)


def _judge(unit: Unit, tap: Tap, judging: Judging) -> None:
    received, texts = tap.received, tap.received.texts
    prediction = predictions.get_prediction(unit, judging.prediction_id)
    if prediction is None or prediction.chat_id != received.chat_id:
        change(unit, received, tap.telegram_message_id, Shown(texts.judgement_gone))
        return
    person = received.sender.met(unit)
    newest = predictions.newest_of(unit, prediction.id)
    if newest != prediction.id:
        # The text was edited while the tap was on its way: the words that it is about are gone.
        change(unit, received, tap.telegram_message_id, verdict_shown(unit, received, person, newest))
        return
    text = render_verdict(texts, prediction, judging.verdict)
    if judging.verdict is None:
        votes.undo(unit, person.id, prediction.id)
        text += f"\n\n{texts.judgement_undone}"
    else:
        votes.judge(unit, person.id, prediction.id, judging.verdict)
    keyboard = verdict_keyboard(texts, prediction.id, judging.verdict)
    change(unit, received, tap.telegram_message_id, Shown(text, keyboard, prediction.id, person.id))
    if judging.verdict is not None:
        _ask_consent_once(unit, received, person)


def _ask_consent_once(unit: Unit, received: Received, person: Person) -> None:
    if consent.consent_of(unit, person.id) is Consent.NEVER_ASKED:
        consent.record_consent(unit, person.id, Consent.ASKED, CONSENT_WORDING)
        keyboard = consent_keyboard(received.texts, granted=False)
        say(unit, received, Shown(received.texts.consent_question, keyboard, person_id=person.id))
