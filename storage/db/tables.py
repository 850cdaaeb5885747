"""The tables.

What a person wrote or is called is encrypted (``Sealed``): names, message texts, payloads of updates and replies,
and reasons of failures, which may quote them. Telegram's numeric ids stay plain: they are the addresses that answers
are sent to and the keys that duplicates are found by. Equal texts are found by a keyed hash, not by decrypting.

Ids are never given twice (AUTOINCREMENT on SQLite, sequences on PostgreSQL): buttons in old chats carry the ids of
predictions that may be gone.
"""

from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, MetaData, String, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from storage.db.column_types import EncryptedString, RowId, UtcDateTime, enum_column, utc_now
from storage.db.states import (
    Consent,
    OfferState,
    ReplyState,
    RunKind,
    RunState,
    SnapshotPart,
    Trigger,
    UpdateState,
    Vote,
)

# The migration that makes exactly these tables; a test compares it with the newest one.
SCHEMA_REVISION: Final = "0003"


class Base(DeclarativeBase):
    """The declarative base; every constraint gets a name, so that a migration can alter it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {int: BigInteger(), datetime: UtcDateTime()}
    __table_args__: Any = {"sqlite_autoincrement": True}  # noqa: RUF012 - the declarative base reads it by this name


def _cascade(column: str) -> ForeignKey:
    return ForeignKey(column, ondelete="CASCADE")


class SecretRow(Base):
    """A random key, encrypted with the key that is kept outside the database."""

    __tablename__ = "secrets"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[bytes] = mapped_column(EncryptedString)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class PersonRow(Base):
    """A Telegram user who wrote to a bot."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    telegram_id: Mapped[int] = mapped_column(unique=True)
    name: Mapped[bytes] = mapped_column(EncryptedString)
    language: Mapped[str | None]  # an IETF tag, as Telegram sends it
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ConsentRow(Base):
    """One line of the consent ledger. Lines are only added; the newest one holds."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    person_id: Mapped[int] = mapped_column(_cascade("people.id"), index=True)
    scope: Mapped[str] = mapped_column(String(32))
    consent: Mapped[Consent] = mapped_column(enum_column(Consent))
    wording: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class UpdateRow(Base):
    """One update of the inbox. The ids outlive the payload: they are what a second copy is recognised by."""

    __tablename__ = "updates"
    __table_args__ = (Index(None, "bot_id", "state", "update_id"), Index(None, "state", "finished_at"))

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    update_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    telegram_id: Mapped[int | None] = mapped_column(index=True)
    payload: Mapped[bytes | None] = mapped_column(EncryptedString)
    state: Mapped[UpdateState] = mapped_column(enum_column(UpdateState), default=UpdateState.RECEIVED)
    attempts: Mapped[int] = mapped_column(default=0)
    reason: Mapped[bytes | None] = mapped_column(EncryptedString)
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]


class MessageRow(Base):
    """One text as it was read; never changed. An edit is a new row that revises the old one."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    person_id: Mapped[int] = mapped_column(_cascade("people.id"), index=True)
    bot_id: Mapped[int]
    chat_id: Mapped[int]
    revises: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"), index=True)
    text_hash: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)


class PartRow(Base):
    """One Telegram message's share of a text; position 0 comes first."""

    __tablename__ = "message_parts"
    __table_args__ = ()  # two columns make the key, which SQLite's AUTOINCREMENT cannot number

    message_id: Mapped[int] = mapped_column(_cascade("messages.id"), primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    telegram_message_id: Mapped[int]
    text: Mapped[bytes] = mapped_column(EncryptedString)


class AddressRow(Base):
    """Which text a message in a chat belongs to now; an edit points it to the newer row."""

    __tablename__ = "message_addresses"
    __table_args__ = ()

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chat_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    telegram_message_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(_cascade("messages.id"), index=True)


class ModelVersionRow(Base):
    """One published model. At most one is live. Of ``tested`` reviews it read ``tested_right`` right."""

    __tablename__ = "model_versions"
    __table_args__ = (
        Index("uq_model_versions_live", "live", unique=True, sqlite_where=text("live"), postgresql_where=text("live")),
    )

    version: Mapped[str] = mapped_column(primary_key=True)
    manifest_sha256: Mapped[str] = mapped_column(String(64))
    location: Mapped[str]
    live: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("training_runs.id"))
    removed_at: Mapped[datetime | None]
    tested: Mapped[int | None]
    tested_right: Mapped[int | None]


class ModelChangeRow(Base):
    """One change of the live model; rows are only added. ``who`` is a Telegram id, None for the gate or a command."""

    __tablename__ = "model_changes"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    who: Mapped[int | None]
    from_version: Mapped[str | None] = mapped_column(ForeignKey("model_versions.version"))
    to_version: Mapped[str] = mapped_column(ForeignKey("model_versions.version"))
    why: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class InstanceRow(Base):
    """One bot process and the version that answers in it; ``refusal`` says why it did not take a newer one."""

    __tablename__ = "serving"
    __table_args__ = ()

    process: Mapped[str] = mapped_column(String(64), primary_key=True)
    bot_id: Mapped[int]
    version: Mapped[str] = mapped_column(ForeignKey("model_versions.version"))
    since: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    refused_version: Mapped[str | None]
    refusal: Mapped[str | None]


class RunRow(Base):
    """One training run. At most one is open, that is, neither ended nor failed.

    ``lease_token`` grows with every claim and fences off whoever held the run before. ``decision`` is the gate's
    record and ``card`` the chart that goes with it, a PNG; neither holds a text.
    """

    __tablename__ = "training_runs"
    __table_args__ = (
        Index("uq_training_runs_open", "open", unique=True, sqlite_where=text("open"), postgresql_where=text("open")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[RunKind] = mapped_column(enum_column(RunKind))
    trigger: Mapped[Trigger] = mapped_column(enum_column(Trigger))
    requested_by: Mapped[int | None]
    state: Mapped[RunState] = mapped_column(enum_column(RunState), default=RunState.QUEUED, index=True)
    open: Mapped[bool] = mapped_column(default=True)
    attempts: Mapped[int] = mapped_column(default=0)
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    lease_owner: Mapped[str | None] = mapped_column(String(128))
    lease_token: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    snapshot_at: Mapped[datetime | None]
    step: Mapped[int] = mapped_column(default=0)
    steps: Mapped[int | None]
    epochs: Mapped[int | None]
    samples_per_second: Mapped[float | None]
    champion: Mapped[str | None]
    candidate: Mapped[str | None]
    decision: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    card: Mapped[bytes | None] = mapped_column(LargeBinary)
    error: Mapped[str | None]
    noticed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class FollowerRow(Base):
    """A chat that follows a training run in one message, which ``reply_id`` made; ``shown`` is what it shows now."""

    __tablename__ = "run_followers"
    __table_args__ = ()

    run_id: Mapped[int] = mapped_column(_cascade("training_runs.id"), primary_key=True, autoincrement=False)
    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chat_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reply_id: Mapped[int]
    language: Mapped[str | None]
    shown: Mapped[str | None]
    done: Mapped[bool] = mapped_column(default=False)


class SnapshotRow(Base):
    """One judged text of a training run: which, as what, and on which side. The text itself stays in ``messages``.

    ``text_hash`` outlives the text, so that a later run can tell that it measured or trained on it; the author's id
    goes with the author.
    """

    __tablename__ = "snapshot_rows"
    __table_args__ = (UniqueConstraint("run_id", "text_hash"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    run_id: Mapped[int] = mapped_column(_cascade("training_runs.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), index=True)
    text_hash: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    label: Mapped[str] = mapped_column(String(16))
    part: Mapped[SnapshotPart] = mapped_column(enum_column(SnapshotPart))


class OfferRow(Base):
    """A text that was offered to a labeller: somebody's, by its prediction, or a gold question with a known label."""

    __tablename__ = "label_offers"
    __table_args__ = (UniqueConstraint("person_id", "text_hash"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    person_id: Mapped[int] = mapped_column(_cascade("people.id"))
    text_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    prediction_id: Mapped[int | None] = mapped_column(_cascade("predictions.id"), index=True)
    gold_label: Mapped[str | None] = mapped_column(String(16))
    state: Mapped[OfferState] = mapped_column(enum_column(OfferState), default=OfferState.SHOWN)
    answer: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class PredictionRow(Base):
    """What one model version said of one text."""

    __tablename__ = "predictions"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    message_id: Mapped[int] = mapped_column(_cascade("messages.id"), index=True)
    version: Mapped[str] = mapped_column(ForeignKey("model_versions.version"))
    label: Mapped[str] = mapped_column(String(16))
    confidence: Mapped[float] = mapped_column(index=True)
    sure: Mapped[bool]
    windows: Mapped[int]
    logit_0: Mapped[float]
    logit_1: Mapped[float]
    replaces: Mapped[int | None] = mapped_column(ForeignKey("predictions.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ReplyRow(Base):
    """One message, or change of a message, that the outbox owes or owed."""

    __tablename__ = "replies"
    __table_args__ = (
        Index(None, "bot_id", "state", "id"),
        Index(None, "bot_id", "chat_id", "answers"),
        Index(None, "state", "changed_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    bot_id: Mapped[int]
    person_id: Mapped[int | None] = mapped_column(_cascade("people.id"), index=True)
    chat_id: Mapped[int] = mapped_column(index=True)
    payload: Mapped[bytes] = mapped_column(EncryptedString)
    prediction_id: Mapped[int | None] = mapped_column(_cascade("predictions.id"), index=True)
    answers: Mapped[int | None]
    revises: Mapped[int | None]
    state: Mapped[ReplyState] = mapped_column(enum_column(ReplyState), default=ReplyState.PENDING)
    telegram_message_id: Mapped[int | None]
    reason: Mapped[bytes | None] = mapped_column(EncryptedString)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)


class VoteRow(Base):
    """What one person says of one text: one row for the two, whatever was predicted how often."""

    __tablename__ = "judgements"
    __table_args__ = (UniqueConstraint("person_id", "text_hash"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    person_id: Mapped[int] = mapped_column(_cascade("people.id"))
    text_hash: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    prediction_id: Mapped[int] = mapped_column(_cascade("predictions.id"), index=True)
    verdict: Mapped[Vote] = mapped_column(enum_column(Vote))
    label: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
