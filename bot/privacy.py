"""Consent and deletion. Knows no Telegram types."""

from bot.judging import Tap
from bot.keyboards import Consenting, consent_keyboard, delete_keyboard
from bot.owing import Received, Shown, change, say
from bot.store import Store
from bot.texts import CONSENT_WORDING, fill
from storage import people
from storage.database import Unit
from storage.people import Consent


class Privacy:
    """What a person allows and whether they stay; what it owes is committed when a method returns."""

    def __init__(self, store: Store, retention_days: int) -> None:
        self._store = store
        self._retention_days = retention_days

    async def explain(self, received: Received) -> None:
        """Say what is kept, for how long and why."""

        def work(unit: Unit) -> None:
            say(unit, received, Shown(fill(received.texts.privacy, days=self._retention_days)))
            received.done(unit)

        await self._store.write(work)

    async def ask_consent(self, received: Received) -> None:
        """Say what the person allows now, with buttons to change it."""

        def work(unit: Unit) -> None:
            person = received.sender.met(unit)
            consent = people.consent_of(unit, person.id)
            if consent is Consent.NEVER_ASKED:
                people.record_consent(unit, person.id, Consent.ASKED, CONSENT_WORDING)
            granted = consent is Consent.GRANTED
            status = received.texts.consent_status_yes if granted else received.texts.consent_status_no
            say(unit, received, Shown(status, consent_keyboard(received.texts, granted), person_id=person.id))
            received.done(unit)

        await self._store.write(work)

    async def set_consent(self, tap: Tap, consenting: Consenting) -> None:
        """Add a line to the ledger, under the wording that the person saw, and say so in place."""

        def work(unit: Unit) -> None:
            person = tap.received.sender.met(unit)
            consent = Consent.GRANTED if consenting.granted else Consent.WITHDRAWN
            people.record_consent(unit, person.id, consent, consenting.wording)
            texts = tap.received.texts
            text = texts.consent_granted if consenting.granted else texts.consent_withdrawn
            change(unit, tap.received, tap.telegram_message_id, Shown(text, person_id=person.id))
            tap.received.done(unit)

        await self._store.write(work)

    async def ask_deletion(self, received: Received) -> None:
        """Ask whether to delete everything, with buttons."""

        def work(unit: Unit) -> None:
            say(unit, received, Shown(received.texts.delete_question, delete_keyboard(received.texts)))
            received.done(unit)

        await self._store.write(work)

    async def delete(self, tap: Tap, confirmed: bool) -> None:
        """Delete everything of the person, or nothing, and say so in place."""

        def work(unit: Unit) -> None:
            text = tap.received.texts.delete_kept
            if confirmed:
                gone = people.erase(unit, tap.received.sender.telegram_id)
                text = fill(tap.received.texts.delete_done, messages=gone.messages, judgements=gone.judgements)
            change(unit, tap.received, tap.telegram_message_id, Shown(text))
            tap.received.done(unit)

        await self._store.write(work)
