"""Consent, notices and deletion. Knows no Telegram types."""

from collections.abc import Sequence
from typing import Final

from bot.buttons import Keyboard, make_keyboard
from bot.database import AsyncDatabase
from bot.privacy.buttons import ConsentTap, consent_keyboard, delete_keyboard, notices_keyboard
from bot.texts import CONSENT_WORDING, Texts, fill, texts_for
from bot.transport.conversation import Incoming, MessageContent, Tap, edit, send
from storage.chat import outbox, people
from storage.chat.outbox import Draft
from storage.db.database import UnitOfWork
from storage.db.states import Consent
from storage.privacy import consent, erasure
from storage.training import snapshots

# Of the models that learnt from a person, so many are named, the newest first.
_MODELS_NAMED: Final = 20


class PrivacyDialog:
    """What a person allows and whether they stay; what it owes is committed when a method returns."""

    def __init__(self, store: AsyncDatabase, retention_days: int) -> None:
        self._store = store
        self._retention_days = retention_days

    async def explain(self, received: Incoming) -> None:
        """Say what is kept, for how long and why."""

        def work(unit: UnitOfWork) -> None:
            send(unit, received, MessageContent(fill(received.texts.privacy, days=self._retention_days)))
            received.finish(unit)

        await self._store.write(work)

    async def ask_consent(self, received: Incoming) -> None:
        """Say what the person allows now, with buttons to change it."""

        def work(unit: UnitOfWork) -> None:
            person = received.sender.upsert(unit)
            answer = consent.consent_of(unit, person.id)
            if answer is Consent.NEVER_ASKED:
                consent.record_consent(unit, person.id, Consent.ASKED, CONSENT_WORDING)
            granted = answer is Consent.GRANTED
            texts = received.texts
            status = texts.consent_status_yes if granted else texts.consent_status_no
            keyboard = consent_keyboard(texts, granted)
            wanted = _wants_notices(unit, received.bot_id, person.id)
            # Without consent there is nothing to tell, but what was asked for can always be taken back.
            if granted or wanted:
                line, buttons = _about_notices(texts, wanted)
                status = f"{status}\n\n{line}"
                keyboard = make_keyboard([*keyboard["inline_keyboard"], *buttons["inline_keyboard"]])
            send(unit, received, MessageContent(status, keyboard, person_id=person.id))
            received.finish(unit)

        await self._store.write(work)

    async def set_consent(self, tap: Tap, consenting: ConsentTap) -> None:
        """Add a line to the ledger, under the wording that the person saw, and say so in place."""

        def work(unit: UnitOfWork) -> None:
            person = tap.incoming.sender.upsert(unit)
            answer = Consent.GRANTED if consenting.granted else Consent.WITHDRAWN
            consent.record_consent(unit, person.id, answer, consenting.wording)
            texts = tap.incoming.texts
            if consenting.granted:
                line, buttons = _about_notices(texts, _wants_notices(unit, tap.incoming.bot_id, person.id))
                shown = MessageContent(f"{texts.consent_granted}\n\n{line}", buttons, person_id=person.id)
            else:
                _take_back(unit, tap.incoming.sender.telegram_id)
                saw = snapshots.versions_that_saw(unit, person.id)
                shown = MessageContent(_with_models(texts.consent_withdrawn, texts, saw), person_id=person.id)
            edit(unit, tap.incoming, tap.telegram_message_id, shown)
            tap.incoming.finish(unit)

        await self._store.write(work)

    async def set_notices(self, tap: Tap, consenting: ConsentTap) -> None:
        """Note whether this bot may tell the person what became of corrections, and say so in place."""

        def work(unit: UnitOfWork) -> None:
            received = tap.incoming
            person = received.sender.upsert(unit)
            answer = Consent.GRANTED if consenting.granted else Consent.WITHDRAWN
            consent.record_consent(
                unit, person.id, answer, consenting.wording, consent.notification_scope(received.bot_id)
            )
            text = received.texts.notices_granted if consenting.granted else received.texts.notices_withdrawn
            edit(unit, received, tap.telegram_message_id, MessageContent(text, person_id=person.id))
            received.finish(unit)

        await self._store.write(work)

    async def ask_deletion(self, received: Incoming) -> None:
        """Ask whether to delete everything, with buttons."""

        def work(unit: UnitOfWork) -> None:
            send(unit, received, MessageContent(received.texts.delete_question, delete_keyboard(received.texts)))
            received.finish(unit)

        await self._store.write(work)

    async def delete(self, tap: Tap, confirmed: bool) -> None:
        """Delete everything of the person, or nothing, and say so in place."""

        def work(unit: UnitOfWork) -> None:
            texts, telegram_id = tap.incoming.texts, tap.incoming.sender.telegram_id
            text = texts.delete_kept
            if confirmed:
                person_id = people.find_person(unit, telegram_id)
                saw = [] if person_id is None else snapshots.versions_that_saw(unit, person_id)
                _take_back(unit, telegram_id)
                gone = erasure.erase(unit, telegram_id)
                text = fill(texts.delete_done, messages=gone.messages, judgements=gone.votes)
                text = _with_models(text, texts, saw)
            edit(unit, tap.incoming, tap.telegram_message_id, MessageContent(text))
            tap.incoming.finish(unit)

        await self._store.write(work)


def _take_back(unit: UnitOfWork, telegram_id: int) -> None:
    """Take the person's texts out of the messages in which others were asked about them."""
    for place in outbox.messages_in_other_chats(unit, telegram_id):
        payload = {"text": texts_for(place.language).text_taken_back}
        outbox.enqueue(unit, Draft(place.bot_id, place.chat_id, payload, edits=place.telegram_message_id))


def _with_models(text: str, texts: Texts, versions: Sequence[str]) -> str:
    """``text``, and which of ``versions``, oldest first, learnt from the person or were measured on their words."""
    if not versions:
        return text
    named = ", ".join(reversed(versions[-_MODELS_NAMED:]))
    if len(versions) > _MODELS_NAMED:
        named = texts.learnt_before_more.format(versions=named, count=len(versions) - _MODELS_NAMED)
    return f"{text}\n\n{fill(texts.learnt_before, versions=named)}"


def _wants_notices(unit: UnitOfWork, bot_id: int, person_id: int) -> bool:
    return consent.consent_of(unit, person_id, consent.notification_scope(bot_id)) is Consent.GRANTED


def _about_notices(texts: Texts, wanted: bool) -> tuple[str, Keyboard]:
    """The line that says or asks whether the bot tells of corrections, and the button that changes it."""
    return texts.notices_status if wanted else texts.notices_question, notices_keyboard(texts, wanted)
