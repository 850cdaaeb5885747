"""``/quarantine``: judged texts that an admin should look at, one at a time in one message. Knows no Telegram types."""

from typing import Final

from bot.database import Store
from bot.formatting import excerpt
from bot.labelling.buttons import LabelTap, OnQuarantined, settle_keyboard
from bot.labelling.label import LABEL_OF, vote
from bot.texts import Texts, fill
from bot.transport.conversation import Received, Shown, Tap, change, say
from core.settings import Settings
from storage.db.database import Unit
from storage.db.states import Consent
from storage.feedback import quarantine
from storage.feedback.quarantine import QuarantinedText, Reason
from storage.privacy import consent

# No model is certain, and "100 %" would say so.
_MOST_PERCENT: Final = 99


class Quarantining:
    """Shows disputed texts to admins and takes their word; what it owes is committed when a method returns."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._quorum = settings.feedback_quorum
        self._admins = frozenset(settings.admin_ids)

    async def start(self, received: Received) -> None:
        """Say how many texts there are to look at, and show the first."""

        def work(unit: Unit) -> None:
            waiting = quarantine.count_quarantined(unit, self._quorum, self._admins).total()
            shown = self._shown(unit, received, 0)
            if waiting:
                counted = fill(received.texts.quarantine_waiting, waiting=waiting)
                shown = Shown(f"{counted}\n\n{shown.text}", shown.keyboard, shown.prediction_id, shown.person_id)
            say(unit, received, shown)
            received.done(unit)

        await self._store.write(work)

    async def tapped(self, tap: Tap, on_text: OnQuarantined) -> None:
        """Take the admin's word on a text, or pass it over, and show the next in the same message."""

        def work(unit: Unit) -> None:
            skipped = on_text.skipped
            if on_text.tap is LabelTap.SKIP:
                skipped += 1
            else:
                vote(unit, tap.received.sender.met(unit).id, on_text.prediction_id, LABEL_OF[on_text.tap])
            change(unit, tap.received, tap.telegram_message_id, self._shown(unit, tap.received, skipped))
            tap.received.done(unit)

        await self._store.write(work)

    def _shown(self, unit: Unit, received: Received, skipped: int) -> Shown:
        """The text that comes after those that the admin passed over; what was decided is none of them any more."""
        texts, person = received.texts, received.sender.met(unit)
        if consent.consent_of(unit, person.id) is Consent.WITHDRAWN:
            return Shown(texts.quarantine_withdrawn, person_id=person.id)
        found = quarantine.quarantined(unit, self._quorum, self._admins, skipped + 1)
        if len(found) <= skipped:
            return Shown(texts.quarantine_end if skipped else texts.quarantine_none, person_id=person.id)
        text = found[skipped]
        keyboard = settle_keyboard(texts, text.prediction_id, skipped)
        return Shown(_page(texts, text), keyboard, text.prediction_id, person.id)


def _page(texts: Texts, text: QuarantinedText) -> str:
    """Why the text is shown, the text, and who says what of it; HTML."""
    why = {Reason.DISAGREEMENT: texts.quarantine_disagreement, Reason.UNLIKELY: texts.quarantine_unlikely}
    votes = dict(text.votes)
    said = fill(
        texts.quarantine_votes,
        positive=votes.get("Positive", 0),
        negative=votes.get("Negative", 0),
        neither=votes.get(None, 0),
        label=text.predicted,
        percent=min(round(100 * text.chance), _MOST_PERCENT),
    )
    return "\n\n".join([why[text.reason], fill("{text}", text=excerpt(text.text)), said])
