"""Builds the messages of ``/label``: the next question, or the reason why there is none. Free of Telegram types."""

from dataclasses import dataclass
from datetime import datetime

from bot.formatting import excerpt
from bot.labelling.buttons import Batch, join_keyboard, label_keyboard, undo_keyboard
from bot.labelling.gold_choice import due_gold_question, shipped_question
from bot.labelling.gold_questions import GoldQuestion
from bot.sending.replies import MessageContent
from bot.texts import Texts, fill
from storage.chat import messages, predictions
from storage.chat.people import Person
from storage.db.database import UnitOfWork
from storage.db.states import Consent, Selection
from storage.feedback import label_offers, label_queue
from storage.feedback.eligibility import EligibilityRules
from storage.feedback.label_offers import Offer
from storage.feedback.label_queue import LabelQueueRules, QueuedText
from storage.privacy import consent
from storage.training import snapshots


@dataclass(frozen=True, slots=True)
class LabelPage:
    """One person's labelling message, in their language. ``batch`` is None if labelling is open-ended.

    Every method returns the message's content. ``note`` is HTML about the person's last tap, shown above the rest.
    """

    unit: UnitOfWork
    texts: Texts
    person: Person
    rules: LabelQueueRules
    shares: EligibilityRules
    batch: Batch | None = None

    def first_question(self) -> MessageContent:
        """Return the next question below a guideline with examples and, if the person's share is used up, a note."""
        return self.next_question(self._over_quota_note(), guideline=True)

    def next_question(self, note: str | None = None, *, undo: bool = True, guideline: bool = False) -> MessageContent:
        """Return the next question, or a message that says why there is none.

        Ask an unanswered question again, so that nobody can keep drawing texts until they get one they like. If
        ``undo`` is true, add a button that undoes the last answer.
        """
        unit, person = self.unit, self.person
        if consent.consent_of(unit, person.id) is not Consent.GRANTED:
            question = f"{self.texts.label_needs_consent}\n\n{self.texts.consent_status_no}"
            return MessageContent(question, join_keyboard(self.texts, self.batch), person_id=person.id)
        if self.batch is not None and self.batch.finished:
            done = [fill(self.texts.label_batch_done, size=self.batch.size), self._over_quota_note()]
            return self._end("\n\n".join(line for line in done if line), note, undo=undo)
        left_open = label_offers.shown_text(unit, person.id)
        label_offers.clear_shown(unit, person.id)
        queued = None if left_open is None else self._find_again(left_open)
        selection = label_offers.next_selection(unit, person.id)
        queued = queued or label_queue.next_text(unit, person.id, self.rules, selection)
        if queued is None:
            return self._end(self._none_left(), note, undo=undo)
        gold = due_gold_question(unit, person, self.rules)
        notes = [note, self.texts.label_guideline if guideline else None]
        if gold is not None:
            return self._ask_gold(gold, notes, undo=undo)
        return self._ask_text(queued, notes, undo=undo)

    def ask_again(self, offer: Offer, note: str) -> MessageContent:
        """Ask an undone question again, or ask the next one if the undone text doesn't need any more votes."""
        label_offers.clear_shown(self.unit, self.person.id)
        if offer.gold_label is not None:
            gold = self._gold_of(offer)
            return self.next_question(note) if gold is None else self._ask_gold(gold, [note])
        queued = self._find_again(offer)
        return self.next_question(note) if queued is None else self._ask_text(queued, [note])

    def answered_today(self) -> int:
        """Return the number of questions that the person has answered since midnight (UTC)."""
        now: datetime = self.unit.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return label_offers.answered_since(self.unit, self.person.id, midnight)

    def _find_again(self, offer: Offer) -> QueuedText | None:
        """Return an offered text, selected by the same rule as before, or None if it doesn't need any more votes."""
        selection = offer.selection or Selection.LEAST_SURE
        return label_queue.find_queued(self.unit, self.person.id, self.rules, offer.text_hash, selection)

    def _gold_of(self, offer: Offer) -> GoldQuestion | None:
        """Return an offered gold question, or None if its text no longer exists."""
        if offer.prediction_id is None or offer.gold_label is None:
            return shipped_question(self.unit, offer.text_hash)
        prediction = predictions.get_prediction(self.unit, offer.prediction_id)
        found = {} if prediction is None else messages.get_texts(self.unit, [prediction.message_id])
        return next((GoldQuestion(text, offer.gold_label, offer.prediction_id) for text in found.values()), None)

    def _over_quota_note(self) -> str | None:
        """Return a line for a person with more texts and votes than a run can use, or None for anyone else."""
        waiting = snapshots.waiting_for_quota(self.unit, self.shares, self.rules.admins, self.person.id)
        if not waiting:
            return None
        return fill(self.texts.label_over_quota, rows=self.shares.person_rows, waiting=waiting)

    def _none_left(self) -> str:
        skipped = label_offers.count_skipped(self.unit, self.person.id)
        if skipped:
            return fill(self.texts.label_none_but_skipped, skipped=skipped)
        return self.texts.label_none

    def _end(self, text: str, note: str | None, *, undo: bool) -> MessageContent:
        last = label_offers.last_closed_offer(self.unit, self.person.id) if undo else None
        keyboard = None if last is None else undo_keyboard(self.texts, last.id, self.batch)
        return MessageContent(f"{note}\n\n{text}" if note else text, keyboard, person_id=self.person.id)

    def _ask_gold(self, question: GoldQuestion, notes: list[str | None], *, undo: bool = True) -> MessageContent:
        last = label_offers.last_closed_offer(self.unit, self.person.id) if undo else None
        offer_id = label_offers.offer_gold(
            self.unit, self.person.id, question.text, question.label, question.prediction_id
        )
        return self._question(question.text, offer_id, last, notes, question.prediction_id)

    def _ask_text(self, queued: QueuedText, notes: list[str | None], *, undo: bool = True) -> MessageContent:
        last = label_offers.last_closed_offer(self.unit, self.person.id) if undo else None
        offer_id = label_offers.offer_text(self.unit, self.person.id, queued)
        text = messages.get_texts(self.unit, [queued.message_id])[queued.message_id]
        return self._question(text, offer_id, last, notes, queued.prediction_id)

    def _question(
        self, text: str, offer_id: int, last: Offer | None, notes: list[str | None], prediction_id: int | None
    ) -> MessageContent:
        """Return the question.

        The prediction's id links the message to the text's author, so deleting their data withdraws it.
        """
        keyboard = label_keyboard(self.texts, offer_id, last.id if last else None, self.batch)
        lines = [*(note for note in notes if note), fill(self.texts.label_question, text=excerpt(text))]
        return MessageContent("\n\n".join(lines), keyboard, prediction_id, self.person.id)
