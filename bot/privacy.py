"""Consent and deletion. Knows no Telegram types."""

from bot.answering import Received, change, say
from bot.judging import Tap
from bot.keyboards import consent_keyboard, delete_keyboard
from bot.store import Store
from bot.texts import CONSENT_WORDING, fill
from storage import people
from storage.database import Unit
from storage.people import Consent


class Privacy:
    """What a person allows and whether they stay; each method returns the ids of the replies that it now owes."""

    def __init__(self, store: Store, retention_days: int) -> None:
        self._store = store
        self._retention_days = retention_days

    async def explain(self, received: Received) -> list[int]:
        """Say what is kept, for how long and why."""
        text = fill(received.sender.texts.privacy, days=self._retention_days)
        return [await self._store.write(lambda unit: say(unit, received, text))]

    async def ask_consent(self, received: Received) -> list[int]:
        """Say what the person allows now, with buttons to change it."""

        def work(unit: Unit) -> list[int]:
            texts, sender = received.sender.texts, received.sender
            person = people.meet(unit, sender.telegram_id, sender.name, sender.language)
            consent = people.consent_of(unit, person.id)
            granted = consent is Consent.GRANTED
            if consent is Consent.NEVER_ASKED:
                people.record_consent(unit, person.id, Consent.ASKED, CONSENT_WORDING)
            status = texts.consent_status_yes if granted else texts.consent_status_no
            return [say(unit, received, status, None, consent_keyboard(texts, granted), person.id)]

        return await self._store.write(work)

    async def set_consent(self, tap: Tap, granted: bool) -> list[int]:
        """Add a line to the ledger and say so in place."""

        def work(unit: Unit) -> list[int]:
            texts, sender = tap.received.sender.texts, tap.received.sender
            person = people.meet(unit, sender.telegram_id, sender.name, sender.language)
            consent = Consent.GRANTED if granted else Consent.WITHDRAWN
            if people.consent_of(unit, person.id) is not consent:
                people.record_consent(unit, person.id, consent, CONSENT_WORDING)
            text = texts.consent_granted if granted else texts.consent_withdrawn
            return [change(unit, tap.received, tap.telegram_message_id, {"text": text}, person.id)]

        return await self._store.write(work)

    async def ask_deletion(self, received: Received) -> list[int]:
        """Ask whether to delete everything, with buttons."""
        texts = received.sender.texts
        question, keyboard = texts.delete_question, delete_keyboard(texts)
        return [await self._store.write(lambda unit: say(unit, received, question, None, keyboard))]

    async def delete(self, tap: Tap, confirmed: bool) -> list[int]:
        """Delete everything of the person, or nothing, and say so in place."""

        def work(unit: Unit) -> list[int]:
            texts = tap.received.sender.texts
            text = texts.delete_kept
            if confirmed:
                gone = people.erase(unit, tap.received.sender.telegram_id)
                text = fill(texts.delete_done, messages=gone.messages, judgements=gone.judgements)
            return [change(unit, tap.received, tap.telegram_message_id, {"text": text})]

        return await self._store.write(work)
