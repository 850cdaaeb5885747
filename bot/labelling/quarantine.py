"""``/quarantine`` shows the texts that an admin must decide on, one at a time, in a single message.

Free of Telegram types.
"""

from dataclasses import replace

from bot.database import AsyncDatabase
from bot.formatting import excerpt, percent_of
from bot.incoming import Incoming, Tap
from bot.labelling.buttons import LabelAction, QuarantineTap, quarantine_keyboard, quarantine_undo_keyboard
from bot.labelling.label import LABEL_OF, record_label
from bot.sending.replies import MessageContent, edit, send
from bot.texts import Texts, fill
from core.settings import Settings
from storage.db.database import UnitOfWork
from storage.db.states import Consent
from storage.feedback import quarantine, votes
from storage.feedback.quarantine import QuarantinedText, QuarantineReason
from storage.privacy import consent


class QuarantineDialog:
    """Shows quarantined texts to admins and records their votes. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase, settings: Settings) -> None:
        self._database = database
        self._quorum = settings.feedback_quorum
        self._admins = frozenset(settings.admin_ids)

    async def start(self, incoming: Incoming) -> None:
        """Show how many texts are quarantined, and the first one."""

        def work(unit: UnitOfWork) -> None:
            count = quarantine.count_quarantined(unit, self._quorum, self._admins).total()
            content = self._content(unit, incoming, 0)
            if count:
                header = fill(incoming.texts.quarantine_waiting, waiting=count)
                content = replace(content, text=f"{header}\n\n{content.text}")
            send(unit, incoming, content)
            incoming.finish(unit)

        await self._database.write(work)

    async def handle_tap(self, tap: Tap, quarantine_tap: QuarantineTap) -> None:
        """Record the admin's vote, undo the last one or skip the text, then show the next text in the same message."""

        def work(unit: UnitOfWork) -> None:
            skipped, decided = quarantine_tap.skipped, None
            person = tap.incoming.sender.upsert(unit)
            if quarantine_tap.action is LabelAction.SKIP:
                skipped += 1
            elif quarantine_tap.action is LabelAction.UNDO:
                votes.undo_vote(unit, person.id, quarantine_tap.prediction_id)
            elif record_label(unit, person.id, quarantine_tap.prediction_id, LABEL_OF[quarantine_tap.action]):
                decided = quarantine_tap.prediction_id
            content = self._content(unit, tap.incoming, skipped, decided)
            edit(unit, tap.incoming, tap.telegram_message_id, content)
            tap.incoming.finish(unit)

        await self._database.write(work)

    def _content(
        self, unit: UnitOfWork, incoming: Incoming, skipped: int, decided: int | None = None
    ) -> MessageContent:
        """Return the message for the first text that was not skipped. Decided texts are no longer in the quarantine.

        If ``decided`` is given, add a button that takes back the decision on that prediction.
        """
        texts, person = incoming.texts, incoming.sender.upsert(unit)
        if consent.consent_of(unit, person.id) is Consent.WITHDRAWN:
            return MessageContent(texts.quarantine_withdrawn, person_id=person.id)
        found = quarantine.quarantined_texts(unit, self._quorum, self._admins, skipped + 1)
        if len(found) <= skipped:
            end = texts.quarantine_end if skipped else texts.quarantine_none
            undo = None if decided is None else quarantine_undo_keyboard(texts, decided, skipped)
            return MessageContent(end, undo, person_id=person.id)
        text = found[skipped]
        keyboard = quarantine_keyboard(texts, text.prediction_id, skipped, decided)
        return MessageContent(_page(texts, text), keyboard, text.prediction_id, person.id)


def _page(texts: Texts, text: QuarantinedText) -> str:
    """Return the reason for the quarantine, the text, the votes and the prediction as HTML."""
    reasons = {
        QuarantineReason.DISAGREEMENT: texts.quarantine_disagreement,
        QuarantineReason.UNLIKELY: texts.quarantine_unlikely,
    }
    counts = dict(text.votes)
    votes = fill(
        texts.quarantine_votes,
        positive=counts.get("Positive", 0),
        negative=counts.get("Negative", 0),
        neither=counts.get(None, 0),
        label=text.predicted,
        percent=percent_of(text.confidence),
    )
    return "\n\n".join([reasons[text.reason], fill("{text}", text=excerpt(text.text)), votes])
