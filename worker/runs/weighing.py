"""Weights the votes that a candidate was measured on, by how likely each shown verdict was to get a vote."""

from collections.abc import Sequence
from datetime import timedelta

from core.settings import Settings
from storage.db.database import Database
from storage.feedback.shown_verdicts import shown_verdicts
from worker.gate.measurements import VoteEvidence
from worker.gate.vote_estimate import estimate_gain
from worker.gate.vote_rows import VoteRow


def weigh_votes(database: Database, settings: Settings, rows: Sequence[VoteRow]) -> VoteEvidence | None:
    """Return the evidence that the rows give about all verdicts that were shown, or None if there are no rows.

    The chances are fitted to the verdicts within the retention period. Older verdicts without votes were deleted.
    """
    with database.reading() as unit:
        since = unit.now() - timedelta(days=settings.retention_days)
        shown = shown_verdicts(unit, since, settings.feedback_quorum, frozenset(settings.admin_ids))
    return estimate_gain(rows, shown, settings.feedback_person_share)
