"""Consent, notices and deletion. Free of Telegram types."""

from collections.abc import Sequence
from typing import Final

from bot.buttons import Keyboard, make_keyboard
from bot.database import AsyncDatabase
from bot.incoming import Incoming, Tap
from bot.privacy.buttons import ConsentTap, consent_keyboard, delete_keyboard, notices_keyboard
from bot.sending.replies import MessageContent, edit, send
from bot.texts import CONSENT_WORDING, Texts, fill, texts_for
from storage.chat import outbox, people
from storage.db.database import UnitOfWork
from storage.db.states import Consent
from storage.privacy import consent, erasure
from storage.privacy.deletions import DeletionList
from storage.training import snapshots

# Maximum number of models to list as having learned from a person. Older models are only counted.
_MAX_VERSIONS: Final = 20


class PrivacyDialog:
    """A person's decisions about their data. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase, deletions: DeletionList, retention_days: int) -> None:
        self._database = database
        self._deletions = deletions
        self._retention_days = retention_days

    async def explain(self, incoming: Incoming) -> None:
        """Explain which data is kept, for how long and why."""

        def work(unit: UnitOfWork) -> None:
            send(unit, incoming, MessageContent(fill(incoming.texts.privacy, days=self._retention_days)))
            incoming.finish(unit)

        await self._database.write(work)

    async def ask_consent(self, incoming: Incoming) -> None:
        """Show the person's consent, with buttons to change it."""

        def work(unit: UnitOfWork) -> None:
            person = incoming.sender.upsert(unit)
            answer = consent.consent_of(unit, person.id)
            if answer is Consent.NEVER_ASKED:
                consent.record_consent(unit, person.id, Consent.ASKED, CONSENT_WORDING)
            granted = answer is Consent.GRANTED
            texts = incoming.texts
            status = texts.consent_status_yes if granted else texts.consent_status_no
            keyboard = consent_keyboard(texts, granted)
            wanted = _wants_notices(unit, incoming.bot_id, person.id)
            # Without consent, there is nothing to notify people of, but they can always turn notices off.
            if granted or wanted:
                line, buttons = _notices_section(texts, wanted)
                status = f"{status}\n\n{line}"
                keyboard = make_keyboard([*keyboard["inline_keyboard"], *buttons["inline_keyboard"]])
            send(unit, incoming, MessageContent(status, keyboard, person_id=person.id))
            incoming.finish(unit)

        await self._database.write(work)

    async def set_consent(self, tap: Tap, consent_tap: ConsentTap) -> None:
        """Record the answer with the version of the wording that was shown, and confirm it in the same message."""

        def work(unit: UnitOfWork) -> None:
            person = tap.incoming.sender.upsert(unit)
            answer = Consent.GRANTED if consent_tap.granted else Consent.WITHDRAWN
            consent.record_consent(unit, person.id, answer, consent_tap.wording)
            texts = tap.incoming.texts
            if consent_tap.granted:
                content = granted_content(unit, tap.incoming, person.id)
            else:
                _withdraw_shown_texts(unit, tap.incoming.sender.telegram_id)
                versions = snapshots.versions_that_saw(unit, person.id)
                content = MessageContent(_with_versions(texts.consent_withdrawn, texts, versions), person_id=person.id)
            edit(unit, tap.incoming, tap.telegram_message_id, content)
            tap.incoming.finish(unit)

        await self._database.write(work)

    async def set_notices(self, tap: Tap, consent_tap: ConsentTap) -> None:
        """Record whether this bot may send the person notices about corrections, and confirm it in the same message."""

        def work(unit: UnitOfWork) -> None:
            incoming = tap.incoming
            person = incoming.sender.upsert(unit)
            answer = Consent.GRANTED if consent_tap.granted else Consent.WITHDRAWN
            consent.record_consent(
                unit, person.id, answer, consent_tap.wording, consent.notification_scope(incoming.bot_id)
            )
            text = incoming.texts.notices_granted if consent_tap.granted else incoming.texts.notices_withdrawn
            edit(unit, incoming, tap.telegram_message_id, MessageContent(text, person_id=person.id))
            incoming.finish(unit)

        await self._database.write(work)

    async def ask_deletion(self, incoming: Incoming) -> None:
        """Ask whether to delete everything, and show the buttons."""

        def work(unit: UnitOfWork) -> None:
            send(unit, incoming, MessageContent(incoming.texts.delete_question, delete_keyboard(incoming.texts)))
            incoming.finish(unit)

        await self._database.write(work)

    async def delete(self, tap: Tap, confirmed: bool) -> None:
        """Delete everything about the person, if confirmed, and report the result in the same message."""

        def work(unit: UnitOfWork) -> None:
            texts, telegram_id = tap.incoming.texts, tap.incoming.sender.telegram_id
            text = texts.delete_kept
            if confirmed:
                person_id = people.find_person(unit, telegram_id)
                versions = [] if person_id is None else snapshots.versions_that_saw(unit, person_id)
                _withdraw_shown_texts(unit, telegram_id)
                self._deletions.add(unit, telegram_id)
                erased = erasure.erase(unit, telegram_id)
                text = fill(texts.delete_done, messages=erased.messages, judgements=erased.votes)
                text = _with_versions(text, texts, versions)
            edit(unit, tap.incoming, tap.telegram_message_id, MessageContent(text))
            tap.incoming.finish(unit)

        await self._database.write(work)


def granted_content(unit: UnitOfWork, incoming: Incoming, person_id: int) -> MessageContent:
    """Return the message that confirms consent, with the button that turns notices on or off."""
    line, buttons = _notices_section(incoming.texts, _wants_notices(unit, incoming.bot_id, person_id))
    return MessageContent(f"{incoming.texts.consent_granted}\n\n{line}", buttons, person_id=person_id)


def _withdraw_shown_texts(unit: UnitOfWork, telegram_id: int) -> None:
    """Remove the person's texts from the messages that ask other people to label them."""
    for place in outbox.messages_in_other_chats(unit, telegram_id):
        content = MessageContent(texts_for(place.language).text_withdrawn)
        outbox.enqueue(unit, content.draft(place.bot_id, place.chat_id, edits=place.telegram_message_id))


def _with_versions(text: str, texts: Texts, versions: Sequence[str]) -> str:
    """Add a list of the ``versions`` that used the person's data to ``text``. They are given oldest first."""
    if not versions:
        return text
    named = ", ".join(reversed(versions[-_MAX_VERSIONS:]))
    if len(versions) > _MAX_VERSIONS:
        named = texts.learnt_before_more.format(versions=named, count=len(versions) - _MAX_VERSIONS)
    return f"{text}\n\n{fill(texts.learnt_before, versions=named)}"


def _wants_notices(unit: UnitOfWork, bot_id: int, person_id: int) -> bool:
    return consent.consent_of(unit, person_id, consent.notification_scope(bot_id)) is Consent.GRANTED


def _notices_section(texts: Texts, wanted: bool) -> tuple[str, Keyboard]:
    """Return the line about notices and the button that turns them on or off."""
    return texts.notices_status if wanted else texts.notices_question, notices_keyboard(texts, wanted)
