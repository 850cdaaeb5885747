"""What several people said of the same texts: what the quality of a labeller can be told from."""

from dataclasses import dataclass

from storage.database import Unit
from storage.usable import judged


@dataclass(frozen=True, slots=True)
class SharedVote:
    """What one person says of a text that others judged too; ``label`` is None for neither sentiment."""

    person_id: int
    text_hash: bytes
    label: str | None


def shared_votes(unit: Unit, admins: frozenset[int]) -> list[SharedVote]:
    """Every vote that counts on a text with two or more; ``admins`` are Telegram ids."""
    return [
        SharedVote(vote.person_id, text.text_hash, vote.label)
        for text in judged(unit, 1, admins)
        if len(text.votes) > 1
        for vote in text.votes
    ]
