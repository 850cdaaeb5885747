"""``/quarantine``: judged texts that an admin should look at, one at a time in one message. Knows no Telegram types."""

from typing import Final

from bot.database import AsyncDatabase
from bot.formatting import excerpt
from bot.labelling.buttons import LabelAction, QuarantineTap, quarantine_keyboard
from bot.labelling.label import LABEL_OF, vote
from bot.texts import Texts, fill
from bot.transport.conversation import Incoming, MessageContent, Tap, edit, send
from core.settings import Settings
from storage.db.database import UnitOfWork
from storage.db.states import Consent
from storage.feedback import quarantine
from storage.feedback.quarantine import QuarantinedText, QuarantineReason
from storage.privacy import consent

# No model is certain, and "100 %" would say so.
_MOST_PERCENT: Final = 99


class QuarantineDialog:
    """Shows disputed texts to admins and takes their word; what it owes is committed when a method returns."""

    def __init__(self, store: AsyncDatabase, settings: Settings) -> None:
        self._store = store
        self._quorum = settings.feedback_quorum
        self._admins = frozenset(settings.admin_ids)

    async def start(self, received: Incoming) -> None:
        """Say how many texts there are to look at, and show the first."""

        def work(unit: UnitOfWork) -> None:
            waiting = quarantine.count_quarantined(unit, self._quorum, self._admins).total()
            shown = self._shown(unit, received, 0)
            if waiting:
                counted = fill(received.texts.quarantine_waiting, waiting=waiting)
                shown = MessageContent(
                    f"{counted}\n\n{shown.text}", shown.keyboard, shown.prediction_id, shown.person_id
                )
            send(unit, received, shown)
            received.finish(unit)

        await self._store.write(work)

    async def handle_tap(self, tap: Tap, on_text: QuarantineTap) -> None:
        """Take the admin's word on a text, or pass it over, and show the next in the same message."""

        def work(unit: UnitOfWork) -> None:
            skipped = on_text.skipped
            if on_text.action is LabelAction.SKIP:
                skipped += 1
            else:
                vote(unit, tap.incoming.sender.upsert(unit).id, on_text.prediction_id, LABEL_OF[on_text.action])
            edit(unit, tap.incoming, tap.telegram_message_id, self._shown(unit, tap.incoming, skipped))
            tap.incoming.finish(unit)

        await self._store.write(work)

    def _shown(self, unit: UnitOfWork, received: Incoming, skipped: int) -> MessageContent:
        """The text that comes after those that the admin passed over; what was decided is none of them any more."""
        texts, person = received.texts, received.sender.upsert(unit)
        if consent.consent_of(unit, person.id) is Consent.WITHDRAWN:
            return MessageContent(texts.quarantine_withdrawn, person_id=person.id)
        found = quarantine.quarantined_texts(unit, self._quorum, self._admins, skipped + 1)
        if len(found) <= skipped:
            return MessageContent(texts.quarantine_end if skipped else texts.quarantine_none, person_id=person.id)
        text = found[skipped]
        keyboard = quarantine_keyboard(texts, text.prediction_id, skipped)
        return MessageContent(_page(texts, text), keyboard, text.prediction_id, person.id)


def _page(texts: Texts, text: QuarantinedText) -> str:
    """Why the text is shown, the text, and who says what of it; HTML."""
    why = {
        QuarantineReason.DISAGREEMENT: texts.quarantine_disagreement,
        QuarantineReason.UNLIKELY: texts.quarantine_unlikely,
    }
    votes = dict(text.votes)
    said = fill(
        texts.quarantine_votes,
        positive=votes.get("Positive", 0),
        negative=votes.get("Negative", 0),
        neither=votes.get(None, 0),
        label=text.predicted,
        percent=min(round(100 * text.confidence), _MOST_PERCENT),
    )
    return "\n\n".join([why[text.reason], fill("{text}", text=excerpt(text.text)), said])
