"""``/label`` shows other people's texts that need a vote, one at a time, in a single message. Free of Telegram types.

Occasionally, the text is a gold question, which has a known label and looks like any other text.
"""

from typing import Final

from bot.database import AsyncDatabase
from bot.incoming import Incoming, Tap
from bot.labelling.buttons import MAX_BATCH, Batch, JoinTap, LabelAction, OfferTap
from bot.labelling.label_page import LabelPage
from bot.privacy.consent import granted_content
from bot.sending.replies import MessageContent, edit, send
from bot.texts import CONSENT_WORDING, Texts, fill
from core.settings import Settings
from storage.chat import predictions
from storage.chat.people import Person
from storage.db.database import UnitOfWork
from storage.db.states import Consent, OfferState, Vote
from storage.feedback import label_offers, labeller_pauses, votes
from storage.feedback.eligibility import EligibilityRules
from storage.feedback.label_offers import Offer
from storage.feedback.label_queue import LabelQueueRules
from storage.feedback.labeller_pauses import PauseChange
from storage.privacy import consent

_CLOSED: Final = (OfferState.ANSWERED, OfferState.SKIPPED)
# The actions on an offer that the person has already answered or skipped.
_AFTERWARDS: Final = (LabelAction.UNDO, LabelAction.MORE)
LABEL_OF: Final = {LabelAction.POSITIVE: "Positive", LabelAction.NEGATIVE: "Negative", LabelAction.NEITHER: None}
# The value stored for an answer without a label.
_NEITHER: Final = "Neither"


class LabellingDialog:
    """Shows texts and records votes on them. Replies are enqueued before each method returns."""

    def __init__(self, database: AsyncDatabase, settings: Settings) -> None:
        self._database = database
        self._rules = LabelQueueRules(settings.feedback_quorum, frozenset(settings.admin_ids), CONSENT_WORDING)
        self._shares = EligibilityRules.from_settings(settings)

    async def start(self, incoming: Incoming, words: list[str]) -> None:
        """Show the text that most needs a vote, in a new message. ``words`` may give the size of a batch."""
        size = _parse_size(words)

        def work(unit: UnitOfWork) -> None:
            person = incoming.sender.upsert(unit)
            if size is None:
                content = MessageContent(fill(incoming.texts.label_usage, most=MAX_BATCH))
            else:
                content = self._page(unit, incoming.texts, person, Batch(size) if size else None).first_question()
            send(unit, incoming, content)
            incoming.finish(unit)

        await self._database.write(work)

    async def join(self, tap: Tap, join_tap: JoinTap) -> None:
        """Record the person's consent, confirm it, and show the first text in a new message."""

        def work(unit: UnitOfWork) -> None:
            incoming = tap.incoming
            person = incoming.sender.upsert(unit)
            is_new = consent.consent_of(unit, person.id) is not Consent.GRANTED
            if is_new:
                consent.record_consent(unit, person.id, Consent.GRANTED, join_tap.wording)
            edit(unit, incoming, tap.telegram_message_id, granted_content(unit, incoming, person.id))
            # A repeated tap must not ask again.
            if is_new or label_offers.shown_text(unit, person.id) is None:
                send(unit, incoming, self._page(unit, incoming.texts, person, join_tap.batch).first_question())
            incoming.finish(unit)

        await self._database.write(work)

    async def handle_tap(self, tap: Tap, offer_tap: OfferTap) -> None:
        """Record the answer or undo the last one, then show the next text in the same message."""

        def work(unit: UnitOfWork) -> None:
            person = tap.incoming.sender.upsert(unit)
            page = self._page(unit, tap.incoming.texts, person, offer_tap.batch)
            content = self._handle_tap(page, offer_tap)
            if content is not None:
                edit(unit, tap.incoming, tap.telegram_message_id, content)
            tap.incoming.finish(unit)

        await self._database.write(work)

    def _page(self, unit: UnitOfWork, texts: Texts, person: Person, batch: Batch | None) -> LabelPage:
        return LabelPage(unit, texts, person, self._rules, self._shares, batch)

    def _handle_tap(  # noqa: PLR0911 - one for each kind of tap
        self, page: LabelPage, offer_tap: OfferTap
    ) -> MessageContent | None:
        """Handle a tap and return the message's new content, or None for a repeated tap, which changes nothing."""
        unit, texts, person = page.unit, page.texts, page.person
        offer = label_offers.find_offer(unit, person.id, offer_tap.offer_id)
        if offer is None:
            return MessageContent(texts.label_gone)
        if offer.state not in (_CLOSED if offer_tap.action in _AFTERWARDS else (OfferState.SHOWN,)):
            return None
        if offer_tap.action is LabelAction.MORE:
            return page.next_question()
        if offer_tap.action is LabelAction.UNDO:
            return self._undo(page, offer)
        if offer_tap.action is LabelAction.STOP:
            # The text stays open and is asked about again, so that nobody can keep drawing until they like a text.
            return MessageContent(texts.label_stopped, person_id=page.person.id)
        if offer_tap.action is LabelAction.SKIP:
            label_offers.close_offer(unit, offer, OfferState.SKIPPED)
            return page.next_question(texts.label_skipped)
        return self._answer(page, offer, offer_tap.action)

    def _answer(self, page: LabelPage, offer: Offer, action: LabelAction) -> MessageContent:
        """Record the answer if the person consents, and show the next text below a note about the answer."""
        unit, person, label = page.unit, page.person, LABEL_OF[action]
        if consent.consent_of(unit, person.id) is not Consent.GRANTED:
            return page.next_question()
        if offer.gold_label is None and offer.prediction_id is not None:
            record_label(unit, person.id, offer.prediction_id, label)
        label_offers.close_offer(unit, offer, OfferState.ANSWERED, label or _NEITHER)
        about_gold = None if offer.gold_label is None else self._gold_note(page, offer.gold_label, label)
        batch = None if page.batch is None else page.batch.answered(1)
        after = self._page(unit, page.texts, person, batch)
        note = "\n\n".join([_answer_note(after, action), *([about_gold] if about_gold else [])])
        # After they were told the right label, they can't go back to the question.
        return after.next_question(note, undo=about_gold is None)

    def _undo(self, page: LabelPage, offer: Offer) -> MessageContent:
        """Undo an answer and ask again, or show the next text if this text doesn't need any more votes."""
        if offer.gold_label is None and offer.prediction_id is not None and offer.state is OfferState.ANSWERED:
            votes.undo_vote(page.unit, page.person.id, offer.prediction_id)
        label_offers.close_offer(page.unit, offer, OfferState.UNDONE)
        if offer.gold_label is not None:
            self._update_pause(page)
        batch = page.batch
        if batch is not None and offer.state is OfferState.ANSWERED:
            batch = batch.answered(-1)
        return self._page(page.unit, page.texts, page.person, batch).ask_again(offer, page.texts.label_undone)

    def _gold_note(self, page: LabelPage, gold_label: str, label: str | None) -> str | None:
        """Return the note for an answer that started or ended a pause or was the first miss, otherwise None."""
        texts, change = page.texts, self._update_pause(page)
        answers = labeller_pauses.newest_answers(page.unit, page.person.id)
        if change is PauseChange.PAUSED:
            needed = f"{100 * labeller_pauses.PASS_SHARE:.0f}"
            return fill(texts.label_paused, percent=needed, newest=labeller_pauses.NEWEST)
        if change is PauseChange.RESUMED:
            return texts.label_resumed
        if label == gold_label or answers.count(False) > 1:
            return None
        right = texts.button_positive if gold_label == "Positive" else texts.button_negative
        return fill(texts.label_gold_missed, label=right)

    def _update_pause(self, page: LabelPage) -> PauseChange | None:
        """Pause or resume the person's labelling if the pause rule requires it. Admins are never paused."""
        if page.person.telegram_id in self._rules.admins:
            return None
        return labeller_pauses.update_pause(page.unit, page.person.id)


def record_label(unit: UnitOfWork, person_id: int, prediction_id: int, label: str | None) -> bool:
    """Record the label that a person gave a text, or None for neither. Return False if the text no longer exists."""
    prediction = predictions.get_prediction(unit, prediction_id)
    if prediction is None:
        return False
    on_label = Vote.RIGHT if label == prediction.label else Vote.WRONG
    votes.record_vote(unit, person_id, prediction_id, Vote.NEITHER if label is None else on_label)
    return True


def _answer_note(page: LabelPage, action: LabelAction) -> str:
    """Return the note that acknowledges an answer and says how many answers the person has given today."""
    texts = page.texts
    label = {
        LabelAction.POSITIVE: texts.button_positive,
        LabelAction.NEGATIVE: texts.button_negative,
        LabelAction.NEITHER: texts.button_neither,
    }[action]
    today = page.answered_today()
    if page.batch is None or page.batch.finished:
        return fill(texts.label_noted, label=label, today=today)
    return fill(texts.label_noted_in_batch, label=label, today=today, done=page.batch.done, size=page.batch.size)


def _parse_size(words: list[str]) -> int | None:
    """Return the size of the batch, 0 if there are no words, or None if the words are not a valid size."""
    if not words:
        return 0
    word = words[0]
    if len(words) > 1 or not (word.isascii() and word.isdigit()) or len(word) > len(str(MAX_BATCH)):
        return None
    return int(word) if 0 < int(word) <= MAX_BATCH else None
