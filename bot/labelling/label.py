"""``/label``: shows other people's texts that need a vote, one at a time, in one message. Free of Telegram types.

Occasionally, the text is a gold question, which has a known label and looks like any other text.
"""

from typing import Final

from bot.database import AsyncDatabase
from bot.formatting import excerpt
from bot.incoming import Incoming, Tap
from bot.labelling.buttons import LabelAction, OfferTap, label_keyboard, undo_keyboard
from bot.labelling.gold_questions import GoldQuestion, gold_questions
from bot.privacy.buttons import consent_keyboard
from bot.sending.replies import MessageContent, edit, send
from bot.texts import CONSENT_WORDING, Texts, fill
from core.settings import Settings
from storage.chat import messages, predictions
from storage.chat.people import Person
from storage.db.database import UnitOfWork
from storage.db.states import Consent, OfferState, Selection, Vote
from storage.feedback import label_offers, label_queue, votes
from storage.feedback.label_offers import Offer
from storage.feedback.label_queue import LabelQueueRules, QueuedText
from storage.privacy import consent

# Every eighth offer is a gold question, starting with the fourth offer.
_GOLD_EVERY: Final = 8
_GOLD_FIRST: Final = 3
_CLOSED: Final = (OfferState.ANSWERED, OfferState.SKIPPED)
LABEL_OF: Final = {LabelAction.POSITIVE: "Positive", LabelAction.NEGATIVE: "Negative", LabelAction.NEITHER: None}
# The value stored for an answer without a label.
_NEITHER: Final = "Neither"


class LabellingDialog:
    """Shows texts and records votes on them. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase, settings: Settings) -> None:
        self._database = database
        self._rules = LabelQueueRules(settings.feedback_quorum, frozenset(settings.admin_ids), CONSENT_WORDING)

    async def start(self, incoming: Incoming) -> None:
        """Show the text that most needs a vote, in a new message."""

        def work(unit: UnitOfWork) -> None:
            person = incoming.sender.upsert(unit)
            send(unit, incoming, _next_question(unit, incoming.texts, person, self._rules))
            incoming.finish(unit)

        await self._database.write(work)

    async def handle_tap(self, tap: Tap, offer_tap: OfferTap) -> None:
        """Record the answer, or undo the last one, and show the next text in the same message."""

        def work(unit: UnitOfWork) -> None:
            person = tap.incoming.sender.upsert(unit)
            content = _handle_tap(unit, tap.incoming.texts, person, offer_tap, self._rules)
            if content is not None:
                edit(unit, tap.incoming, tap.telegram_message_id, content)
            tap.incoming.finish(unit)

        await self._database.write(work)


def record_label(unit: UnitOfWork, person_id: int, prediction_id: int, label: str | None) -> bool:
    """Record the label that a person gave a text, or None for neither. Return False if the text is gone."""
    prediction = predictions.get_prediction(unit, prediction_id)
    if prediction is None:
        return False
    on_label = Vote.RIGHT if label == prediction.label else Vote.WRONG
    votes.record_vote(unit, person_id, prediction_id, Vote.NEITHER if label is None else on_label)
    return True


def _handle_tap(
    unit: UnitOfWork, texts: Texts, person: Person, offer_tap: OfferTap, rules: LabelQueueRules
) -> MessageContent | None:
    """Handle a tap and return the message's new content, or None for a repeated tap, which changes nothing."""
    offer = label_offers.find_offer(unit, person.id, offer_tap.offer_id)
    if offer is None:
        return MessageContent(texts.label_gone)
    if offer_tap.action is LabelAction.UNDO:
        return _undo(unit, texts, person, offer, rules) if offer.state in _CLOSED else None
    if offer.state is not OfferState.SHOWN:
        return None
    if offer_tap.action is LabelAction.SKIP:
        label_offers.close_offer(unit, offer, OfferState.SKIPPED)
    elif consent.consent_of(unit, person.id) is Consent.GRANTED:
        label = LABEL_OF[offer_tap.action]
        if offer.prediction_id is not None:
            record_label(unit, person.id, offer.prediction_id, label)
        label_offers.close_offer(unit, offer, OfferState.ANSWERED, label or _NEITHER)
    return _next_question(unit, texts, person, rules)


def _undo(unit: UnitOfWork, texts: Texts, person: Person, offer: Offer, rules: LabelQueueRules) -> MessageContent:
    """Undo an answer and ask again, or show the next text if this text doesn't need any more votes."""
    if offer.prediction_id is not None and offer.state is OfferState.ANSWERED:
        votes.undo_vote(unit, person.id, offer.prediction_id)
    label_offers.close_offer(unit, offer, OfferState.UNDONE)
    label_offers.clear_shown(unit, person.id)
    if offer.gold_label is not None:
        by_hash = {unit.cipher.fingerprint(question.text): question for question in gold_questions()}
        gold = by_hash.get(offer.text_hash)
        return _next_question(unit, texts, person, rules) if gold is None else _offer_gold(unit, texts, person, gold)
    waiting = _find_again(unit, person, rules, offer)
    return _next_question(unit, texts, person, rules) if waiting is None else _offer_text(unit, texts, person, waiting)


def _find_again(unit: UnitOfWork, person: Person, rules: LabelQueueRules, offer: Offer) -> QueuedText | None:
    """Return an offered text, chosen in the same way as before, or None if it doesn't need any more votes."""
    return label_queue.find_queued(unit, person.id, rules, offer.text_hash, offer.selection or Selection.LEAST_SURE)


def _next_question(unit: UnitOfWork, texts: Texts, person: Person, rules: LabelQueueRules) -> MessageContent:
    """Return the next question, or a message that says why there is none.

    A question that the person left open is asked again, so that nobody can keep drawing until they get a text that they
    like.
    """
    if consent.consent_of(unit, person.id) is not Consent.GRANTED:
        question = f"{texts.label_needs_consent}\n\n{texts.consent_status_no}"
        return MessageContent(question, consent_keyboard(texts, granted=False), person_id=person.id)
    left_open = label_offers.shown_text(unit, person.id)
    label_offers.clear_shown(unit, person.id)
    waiting = None if left_open is None else _find_again(unit, person, rules, left_open)
    waiting = waiting or label_queue.next_text(unit, person.id, rules, label_offers.next_selection(unit, person.id))
    if waiting is None:
        last = label_offers.last_closed_offer(unit, person.id)
        return MessageContent(texts.label_none, undo_keyboard(texts, last.id) if last else None, person_id=person.id)
    gold = _due_gold_question(unit, person)
    return _offer_text(unit, texts, person, waiting) if gold is None else _offer_gold(unit, texts, person, gold)


def _due_gold_question(unit: UnitOfWork, person: Person) -> GoldQuestion | None:
    """Return the person's next gold question, or None if none is due.

    Each person gets the questions in a different order.
    """
    if label_offers.count_offers(unit, person.id) % _GOLD_EVERY != _GOLD_FIRST:
        return None
    seen, fingerprint = label_offers.offered_gold(unit, person.id), unit.cipher.fingerprint
    unseen = [question for question in gold_questions() if fingerprint(question.text) not in seen]
    return min(unseen, key=lambda question: fingerprint(f"{person.id} {question.text}"), default=None)


def _offer_gold(unit: UnitOfWork, texts: Texts, person: Person, question: GoldQuestion) -> MessageContent:
    last = label_offers.last_closed_offer(unit, person.id)
    offer_id = label_offers.offer_gold(unit, person.id, question.text, question.label)
    return _question(texts, person, question.text, offer_id, last)


def _offer_text(unit: UnitOfWork, texts: Texts, person: Person, waiting: QueuedText) -> MessageContent:
    last = label_offers.last_closed_offer(unit, person.id)
    offer_id = label_offers.offer_text(unit, person.id, waiting)
    text = messages.get_texts(unit, [waiting.message_id])[waiting.message_id]
    return _question(texts, person, text, offer_id, last, waiting.prediction_id)


def _question(  # noqa: PLR0913, PLR0917 - each argument is a separate fact
    texts: Texts, person: Person, text: str, offer_id: int, last: Offer | None, prediction_id: int | None = None
) -> MessageContent:
    question = fill(texts.label_question, text=excerpt(text))
    keyboard = label_keyboard(texts, offer_id, last.id if last else None)
    # The prediction's id links the message to the author, so the message isn't sent if the author deletes everything.
    return MessageContent(question, keyboard, prediction_id, person.id)
