"""Votes on verdicts, and the question for consent that follows the first. Knows no Telegram types."""

from dataclasses import dataclass

from bot.answering import Received, change, say
from bot.keyboards import Judging, consent_keyboard, verdict_keyboard
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
    """Keeps votes; each method returns the ids of the replies that it now owes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def judge(self, tap: Tap, judging: Judging) -> list[int]:
        """Keep, change or undo a vote, and show it in the message."""
        return await self._store.write(lambda unit: _judge(unit, tap, judging))


def _judge(unit: Unit, tap: Tap, judging: Judging) -> list[int]:
    received = tap.received
    texts = received.sender.texts
    prediction = predictions.get_prediction(unit, judging.prediction_id)
    if prediction is None or prediction.chat_id != received.chat_id:
        return [change(unit, received, tap.telegram_message_id, {"text": texts.judgement_gone})]
    person = people.meet(unit, received.sender.telegram_id, received.sender.name, received.sender.language)
    if judging.verdict is None:
        judgements.undo(unit, person.id, prediction.id)
    else:
        judgements.judge(unit, person.id, prediction.id, judging.verdict)
    text = render_verdict(texts, prediction, judging.verdict)
    if judging.verdict is None:
        text += f"\n\n{texts.judgement_undone}"
    shown = {"text": text, "reply_markup": verdict_keyboard(texts, prediction.id, judging.verdict)}
    owed = [change(unit, received, tap.telegram_message_id, shown, person.id, prediction.id)]
    if judging.verdict is not None:
        owed += _ask_consent_once(unit, received, person)
    return owed


def _ask_consent_once(unit: Unit, received: Received, person: Person) -> list[int]:
    if people.consent_of(unit, person.id) is not Consent.NEVER_ASKED:
        return []
    people.record_consent(unit, person.id, Consent.ASKED, CONSENT_WORDING)
    texts = received.sender.texts
    return [
        say(unit, received, texts.consent_question, None, consent_keyboard(texts, granted=False), person_id=person.id)
    ]
