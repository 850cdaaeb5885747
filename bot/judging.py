"""Votes on verdicts, and the question for consent that follows the first. Knows no Telegram types."""

from dataclasses import dataclass

from bot.keyboards import Judging, consent_keyboard, verdict_keyboard
from bot.owing import Received, Shown, change, say
from bot.rendering import render_verdict
from bot.store import Store
from bot.texts import CONSENT_WORDING
from storage import judgements, people, predictions
from storage.database import Unit
from storage.people import Consent, Person


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap on a button, and the message that it stands under."""

    received: Received
    telegram_message_id: int


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


def verdict_shown(unit: Unit, received: Received, person: Person, prediction_id: int) -> Shown:
    """A verdict as it stands, with what the person said of it. Raises LookupError when there is no such prediction."""
    prediction = predictions.get_prediction(unit, prediction_id)
    if prediction is None:
        raise LookupError(f"prediction {prediction_id} is gone within the unit of work that found it")
    judgement = judgements.judgement_of(unit, person.id, prediction_id)
    chosen = judgement.verdict if judgement else None
    text = render_verdict(received.texts, prediction, chosen)
    return Shown(text, verdict_keyboard(received.texts, prediction_id, chosen), prediction_id, person.id)


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
        judgements.undo(unit, person.id, prediction.id)
        text += f"\n\n{texts.judgement_undone}"
    else:
        judgements.judge(unit, person.id, prediction.id, judging.verdict)
    keyboard = verdict_keyboard(texts, prediction.id, judging.verdict)
    change(unit, received, tap.telegram_message_id, Shown(text, keyboard, prediction.id, person.id))
    if judging.verdict is not None:
        _ask_consent_once(unit, received, person)


def _ask_consent_once(unit: Unit, received: Received, person: Person) -> None:
    if people.consent_of(unit, person.id) is Consent.NEVER_ASKED:
        people.record_consent(unit, person.id, Consent.ASKED, CONSENT_WORDING)
        keyboard = consent_keyboard(received.texts, granted=False)
        say(unit, received, Shown(received.texts.consent_question, keyboard, person_id=person.id))
