"""The tables, one module for each subject; a new column goes there, with a migration and a new SCHEMA_REVISION.

What a person wrote or is called is encrypted (``EncryptedString``): names, message texts, payloads of updates and
replies, and reasons of failures, which may quote them. Telegram's numeric ids stay plain: replies are addressed with
them, and duplicates are found by them. Equal texts are found by a keyed hash, not by decrypting.

Ids are never reused (AUTOINCREMENT on SQLite, sequences on PostgreSQL), because buttons in old chats carry the ids of
predictions that may have been deleted.
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
from storage.db.tables.feedback import OfferRow, VoteRow
from storage.db.tables.models import InstanceRow, ModelChangeRow, ModelVersionRow
from storage.db.tables.operating import BlockedPersonRow, BotRow, ReportedTroubleRow
from storage.db.tables.privacy import ConsentRow, SecretRow
from storage.db.tables.training import FollowerRow, RunRow, SnapshotRow

__all__ = [
    "SCHEMA_REVISION",
    "Base",
    "BlockedPersonRow",
    "BotRow",
    "ConsentRow",
    "FollowerRow",
    "InstanceRow",
    "MessageAddressRow",
    "MessagePartRow",
    "MessageRow",
    "ModelChangeRow",
    "ModelVersionRow",
    "OfferRow",
    "PersonRow",
    "PredictionRow",
    "ReplyRow",
    "ReportedTroubleRow",
    "RunRow",
    "SecretRow",
    "SnapshotRow",
    "UpdateRow",
    "VoteRow",
]
