"""Decides when a labeller gets a gold question, and which one."""

from typing import Final

from bot.labelling.gold_questions import GoldQuestion, gold_questions
from storage.chat.people import Person
from storage.db.database import UnitOfWork
from storage.feedback import label_offers
from storage.feedback.label_queue import LabelQueueRules
from storage.feedback.labeller_pauses import is_paused
from storage.feedback.settled_texts import draw_settled

# Number of texts between two gold questions, before the first one, and between two of them for a paused labeller, who
# needs them to pass again.
_TEXTS_BETWEEN: Final = 7
_TEXTS_BEFORE_FIRST: Final = 3
_TEXTS_WHILE_PAUSED: Final = 2


def due_gold_question(unit: UnitOfWork, person: Person, rules: LabelQueueRules) -> GoldQuestion | None:
    """Return the person's next gold question, or None if none is due.

    If there are settled texts from users, they alternate with the program's texts. Each person gets the program's texts
    in a different order. Once they have seen them all, the oldest one comes up again.
    """
    offered = label_offers.offered_gold(unit, person.id)
    if label_offers.texts_since_gold(unit, person.id) < _texts_before(unit, person, bool(offered)):
        return None
    settled = None if len(offered) % 2 else draw_settled(unit, person.id, rules)
    if settled is not None:
        return GoldQuestion(settled.text, settled.label, settled.prediction_id)
    fingerprint = unit.cipher.fingerprint
    by_hash = {fingerprint(question.text): question for question in gold_questions()}
    unseen = [question for text_hash, question in by_hash.items() if text_hash not in offered]
    if unseen:
        return min(unseen, key=lambda question: fingerprint(f"{person.id} {question.text}"))
    return by_hash[next(text_hash for text_hash in offered if text_hash in by_hash)]


def shipped_question(unit: UnitOfWork, text_hash: bytes) -> GoldQuestion | None:
    """Return the program's gold question with this hash, or None if it no longer ships with the program."""
    return next((one for one in gold_questions() if unit.cipher.fingerprint(one.text) == text_hash), None)


def _texts_before(unit: UnitOfWork, person: Person, has_seen_any: bool) -> int:
    if not has_seen_any:
        return _TEXTS_BEFORE_FIRST
    return _TEXTS_WHILE_PAUSED if is_paused(unit, person.id) else _TEXTS_BETWEEN
