"""Consent, notices and deletion. Free of Telegram types."""

from bot.buttons import Keyboard, make_keyboard
from bot.database import AsyncDatabase
from bot.incoming import Incoming, Tap
from bot.privacy.buttons import ConsentTap, consent_keyboard, delete_keyboard, notices_keyboard
from bot.privacy.shown_texts import with_models, withdraw_shown_texts
from bot.sending.replies import MessageContent, edit, send
from bot.texts import CONSENT_WORDING, Texts, fill
from core.settings import Settings
from storage.chat import people
from storage.db.database import UnitOfWork
from storage.db.states import Consent
from storage.privacy import consent, erasure
from storage.privacy.deletions import DeletionList
from storage.training import snapshots


class PrivacyDialog:
    """A person's decisions about their data. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase, deletions: DeletionList, settings: Settings) -> None:
        self._database = database
        self._deletions = deletions
        self._settings = settings

    async def explain(self, incoming: Incoming) -> None:
        """Explain what data is kept, for how long and why."""
        settings, texts = self._settings, incoming.texts
        operator = ", ".join(filter(None, [settings.operator_name, settings.operator_contact]))
        text = fill(
            texts.privacy,
            days=settings.retention_days,
            inbox_days=settings.inbox_retention_days,
            operator=operator or texts.privacy_operator_unknown,
        )

        def work(unit: UnitOfWork) -> None:
            send(unit, incoming, MessageContent(text))
            incoming.finish(unit)

        await self._database.write(work)

    async def send_data(self, incoming: Incoming) -> None:
        """Send a file with everything that is stored about the person."""

        def work(unit: UnitOfWork) -> None:
            person = incoming.sender.upsert(unit)
            send(unit, incoming, MessageContent(incoming.texts.mydata, person_id=person.id, personal_data=True))
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
                withdraw_shown_texts(unit, tap.incoming.sender.telegram_id)
                versions = snapshots.versions_that_saw(unit, person.id)
                content = MessageContent(with_models(texts.consent_withdrawn, texts, versions), person_id=person.id)
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
                withdraw_shown_texts(unit, telegram_id)
                self._deletions.add(unit, telegram_id)
                erased = erasure.erase(unit, telegram_id)
                counts = {"messages": erased.messages, "votes": erased.votes, "other_votes": erased.other_votes}
                text = fill(texts.delete_done, **counts)
                text = with_models(text, texts, versions)
            edit(unit, tap.incoming, tap.telegram_message_id, MessageContent(text))
            tap.incoming.finish(unit)

        await self._database.write(work)


def granted_content(unit: UnitOfWork, incoming: Incoming, person_id: int) -> MessageContent:
    """Return the message that confirms consent, with the button that turns notices on or off."""
    line, buttons = _notices_section(incoming.texts, _wants_notices(unit, incoming.bot_id, person_id))
    return MessageContent(f"{incoming.texts.consent_granted}\n\n{line}", buttons, person_id=person_id)


def _wants_notices(unit: UnitOfWork, bot_id: int, person_id: int) -> bool:
    return consent.consent_of(unit, person_id, consent.notification_scope(bot_id)) is Consent.GRANTED


def _notices_section(texts: Texts, wanted: bool) -> tuple[str, Keyboard]:
    """Return the line about notices and the button that turns them on or off."""
    return texts.notices_status if wanted else texts.notices_question, notices_keyboard(texts, wanted)
