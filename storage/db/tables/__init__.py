"""The tables, one module per subject. A new column needs a migration and a new SCHEMA_REVISION.

Names, message texts, and the payloads of updates and replies are encrypted (``EncryptedString``). Failure reasons are
encrypted too, because they may quote a text. Telegram's numeric ids are not encrypted, because they are needed to
address replies and to find duplicates. Equal texts are found by a keyed hash, without decrypting anything.

Ids are never reused (AUTOINCREMENT on SQLite, sequences on PostgreSQL), because buttons in old messages contain the ids
of predictions that may have been deleted.
"""

from storage.db.tables.base import SCHEMA_REVISION, Base
from storage.db.tables.chat import (
    MessageAddressRow,
    MessagePartRow,
    MessageRow,
    PersonRow,
    PredictionRow,
    ReplyRow,
    UpdateRow,
)
from storage.db.tables.feedback import OfferRow, PausedLabellerRow, VoteRow
from storage.db.tables.models import (
    InstanceRow,
    LookRow,
    ModelChangeRow,
    ModelVersionRow,
    TrialRow,
    TrialTextRow,
)
from storage.db.tables.operating import BlockedPersonRow, BotRow, DayRow, ReportedTroubleRow, WorkerRow
from storage.db.tables.privacy import ConsentRow, SecretRow
from storage.db.tables.training import FollowerRow, LearningPauseRow, RunRow, SnapshotRow

__all__ = [
    "SCHEMA_REVISION",
    "Base",
    "BlockedPersonRow",
    "BotRow",
    "ConsentRow",
    "DayRow",
    "FollowerRow",
    "InstanceRow",
    "LearningPauseRow",
    "LookRow",
    "MessageAddressRow",
    "MessagePartRow",
    "MessageRow",
    "ModelChangeRow",
    "ModelVersionRow",
    "OfferRow",
    "PausedLabellerRow",
    "PersonRow",
    "PredictionRow",
    "ReplyRow",
    "ReportedTroubleRow",
    "RunRow",
    "SecretRow",
    "SnapshotRow",
    "TrialRow",
    "TrialTextRow",
    "UpdateRow",
    "VoteRow",
    "WorkerRow",
]
