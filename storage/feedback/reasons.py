"""Why people voted as they did, so that models can be evaluated on each kind of text separately."""

from collections import Counter

from storage.db.database import UnitOfWork
from storage.db.states import Reason
from storage.feedback.eligibility import voted_texts


def reasons_by_text(unit: UnitOfWork, admins: frozenset[int]) -> dict[bytes, frozenset[Reason]]:
    """Return the reasons in votes that count, keyed by the text's hash. ``admins`` are Telegram ids.

    A vote counts under the same conditions as in ``voted_texts``. Texts without reasons are left out.
    """
    reasons = {
        text.text_hash: frozenset(vote.reason for vote in text.votes if vote.reason is not None)
        for text in voted_texts(unit, 1, admins)
    }
    return {text_hash: found for text_hash, found in reasons.items() if found}


def count_reasons(unit: UnitOfWork, admins: frozenset[int]) -> Counter[Reason]:
    """Return the number of texts for each reason. A text with several reasons counts once for each."""
    return Counter(reason for found in reasons_by_text(unit, admins).values() for reason in found)
