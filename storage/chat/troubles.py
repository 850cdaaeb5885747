"""The kinds of trouble that a bot's admins were notified of, so that they are notified of each once."""

from storage.db.database import UnitOfWork
from storage.db.tables import ReportedTroubleRow


def claim_report(unit: UnitOfWork, bot_id: int, kind: str) -> bool:
    """Record that the bot's admins are notified of this kind of trouble; return False if they already were."""
    row = unit.insert(ReportedTroubleRow).values(bot_id=bot_id, kind=kind)
    return unit.scalar(row.on_conflict_do_nothing().returning(ReportedTroubleRow.kind)) is not None
