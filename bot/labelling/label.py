"""``/label``: other people's texts that need a vote, one at a time in one message. Knows no Telegram types.

A gold question, whose label is known, stands among them now and then, and looks like the others.
"""

from typing import Final

from bot.database import AsyncDatabase
from bot.formatting import excerpt
from bot.labelling.buttons import LabelAction, OfferTap, label_keyboard, undo_keyboard
from bot.labelling.gold_questions import GoldQuestion, gold_questions
from bot.privacy.buttons import consent_keyboard
from bot.texts import CONSENT_WORDING, Texts, fill
from bot.transport.conversation import Incoming, MessageContent, Tap, edit, send
from core.settings import Settings
from storage.chat import messages, predictions
from storage.chat.people import Person
from storage.db.database import UnitOfWork
from storage.db.states import Consent, OfferState, Vote
from storage.feedback import label_offers, label_queue, votes
from storage.feedback.label_offers import Offer
from storage.feedback.label_queue import LabelQueueRules, QueuedText
from storage.privacy import consent

# One in so many is a gold question, and the first one comes this far into them.
_GOLD_EVERY: Final = 8
_GOLD_FIRST: Final = 3
_CLOSED: Final = (OfferState.ANSWERED, OfferState.SKIPPED)
LABEL_OF: Final = {LabelAction.POSITIVE: "Positive", LabelAction.NEGATIVE: "Negative", LabelAction.NEITHER: None}
# What is kept of an answer that names no label.
_NEITHER: Final = "Neither"


class LabellingDialog:
    """Shows texts and takes votes on them; what it owes is committed when a method returns."""

    def __init__(self, store: AsyncDatabase, settings: Settings) -> None:
        self._store = store
        self._need = LabelQueueRules(settings.feedback_quorum, frozenset(settings.admin_ids), CONSENT_WORDING)

    async def start(self, received: Incoming) -> None:
        """Show the text that a vote would help most, in a new message."""

        def work(unit: UnitOfWork) -> None:
            person = received.sender.upsert(unit)
            send(unit, received, _next(unit, received.texts, person, self._need))
            received.finish(unit)

        await self._store.write(work)

    async def handle_tap(self, tap: Tap, on_offer: OfferTap) -> None:
        """Take the answer, or take it back, and show the next text in the same message."""

        def work(unit: UnitOfWork) -> None:
            person = tap.incoming.sender.upsert(unit)
            shown = _answered(unit, tap.incoming.texts, person, on_offer, self._need)
            if shown is not None:
                edit(unit, tap.incoming, tap.telegram_message_id, shown)
            tap.incoming.finish(unit)

        await self._store.write(work)


def vote(unit: UnitOfWork, person_id: int, prediction_id: int, label: str | None) -> bool:
    """Keep what a person says of somebody's text, None for neither; False when the text is gone."""
    prediction = predictions.get_prediction(unit, prediction_id)
    if prediction is None:
        return False
    on_label = Vote.RIGHT if label == prediction.label else Vote.WRONG
    votes.record_vote(unit, person_id, prediction_id, Vote.NEITHER if label is None else on_label)
    return True


def _answered(
    unit: UnitOfWork, texts: Texts, person: Person, on_offer: OfferTap, need: LabelQueueRules
) -> MessageContent | None:
    """Carry a tap out; what the message shows then, None when the tap came twice and changes nothing."""
    offer = label_offers.find_offer(unit, person.id, on_offer.offer_id)
    if offer is None:
        return MessageContent(texts.label_gone)
    if on_offer.action is LabelAction.UNDO:
        return _undone(unit, texts, person, offer, need) if offer.state in _CLOSED else None
    if offer.state is not OfferState.SHOWN:
        return None
    if on_offer.action is LabelAction.SKIP:
        label_offers.close_offer(unit, offer, OfferState.SKIPPED)
    elif consent.consent_of(unit, person.id) is Consent.GRANTED:
        label = LABEL_OF[on_offer.action]
        if offer.prediction_id is not None:
            vote(unit, person.id, offer.prediction_id, label)
        label_offers.close_offer(unit, offer, OfferState.ANSWERED, label or _NEITHER)
    return _next(unit, texts, person, need)


def _undone(unit: UnitOfWork, texts: Texts, person: Person, offer: Offer, need: LabelQueueRules) -> MessageContent:
    """Take an answer back and ask again, or go on where nobody needs it any more."""
    if offer.prediction_id is not None and offer.state is OfferState.ANSWERED:
        votes.undo_vote(unit, person.id, offer.prediction_id)
    label_offers.close_offer(unit, offer, OfferState.UNDONE)
    label_offers.clear_shown(unit, person.id)
    if offer.gold_label is not None:
        known = {unit.cipher.fingerprint(question.text): question for question in gold_questions()}
        gold = known.get(offer.text_hash)
        return _next(unit, texts, person, need) if gold is None else _gold(unit, texts, person, gold)
    waiting = label_queue.find_queued(unit, person.id, need, offer.text_hash)
    return _next(unit, texts, person, need) if waiting is None else _somebodys(unit, texts, person, waiting)


def _next(unit: UnitOfWork, texts: Texts, person: Person, need: LabelQueueRules) -> MessageContent:
    """The next text, or why there is none."""
    if consent.consent_of(unit, person.id) is not Consent.GRANTED:
        question = f"{texts.label_needs_consent}\n\n{texts.consent_status_no}"
        return MessageContent(question, consent_keyboard(texts, granted=False), person_id=person.id)
    label_offers.clear_shown(unit, person.id)
    waiting = label_queue.next_text(unit, person.id, need)
    if waiting is None:
        last = label_offers.last_closed_offer(unit, person.id)
        return MessageContent(texts.label_none, undo_keyboard(texts, last.id) if last else None, person_id=person.id)
    gold = _due_gold(unit, person)
    return _somebodys(unit, texts, person, waiting) if gold is None else _gold(unit, texts, person, gold)


def _due_gold(unit: UnitOfWork, person: Person) -> GoldQuestion | None:
    """The gold question whose turn it is, in an order of the person's own; None when it is not one's turn."""
    if label_offers.count_offers(unit, person.id) % _GOLD_EVERY != _GOLD_FIRST:
        return None
    seen, fingerprint = label_offers.offered_gold(unit, person.id), unit.cipher.fingerprint
    fresh = [question for question in gold_questions() if fingerprint(question.text) not in seen]
    return min(fresh, key=lambda question: fingerprint(f"{person.id} {question.text}"), default=None)


def _gold(unit: UnitOfWork, texts: Texts, person: Person, question: GoldQuestion) -> MessageContent:
    last = label_offers.last_closed_offer(unit, person.id)
    offer_id = label_offers.offer_gold(unit, person.id, question.text, question.label)
    return _question(texts, person, question.text, offer_id, last)


def _somebodys(unit: UnitOfWork, texts: Texts, person: Person, waiting: QueuedText) -> MessageContent:
    last = label_offers.last_closed_offer(unit, person.id)
    offer_id = label_offers.offer_text(unit, person.id, waiting)
    text = messages.get_texts(unit, [waiting.message_id])[waiting.message_id]
    return _question(texts, person, text, offer_id, last, waiting.prediction_id)


def _question(  # noqa: PLR0913, PLR0917 - one argument a fact
    texts: Texts, person: Person, text: str, offer_id: int, last: Offer | None, prediction_id: int | None = None
) -> MessageContent:
    shown = fill(texts.label_question, text=excerpt(text))
    # The prediction that is named ties the message to the text's author: it goes unsent when they delete everything.
    return MessageContent(shown, label_keyboard(texts, offer_id, last.id if last else None), prediction_id, person.id)
