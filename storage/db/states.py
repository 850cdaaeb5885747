"""The enums that columns store as words."""

from enum import StrEnum


class Consent(StrEnum):
    """Whether a person's texts and votes may be used to train a model."""

    NEVER_ASKED = "never_asked"
    ASKED = "asked"
    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class UpdateState(StrEnum):
    """The state of an update in the inbox. ERASED: its sender was deleted while it was pending."""

    RECEIVED = "received"
    ERASED = "erased"
    HANDLED = "handled"
    FAILED = "failed"


class ReplyState(StrEnum):
    """The state of a reply in the outbox. UNCERTAIN: it may or may not have arrived."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    FAILED = "failed"


class Vote(StrEnum):
    """A person's vote on a prediction. NEITHER: neither label fits the text."""

    RIGHT = "right"
    WRONG = "wrong"
    NEITHER = "neither"


class RunKind(StrEnum):
    """The model that a training run starts from: the anchor (FEEDBACK_ROUND) or the base encoder (FULL_RUN)."""

    FEEDBACK_ROUND = "feedback_round"
    FULL_RUN = "full_run"


class Trigger(StrEnum):
    """What requested a training run: the schedule, enough new corrections, or an admin."""

    SCHEDULE = "schedule"
    CORRECTIONS = "judgements"
    ADMIN = "admin"


class RunState(StrEnum):
    """The state of a training run. HELD: not proven better, or awaiting an admin. REJECTED: proven worse."""

    QUEUED = "queued"
    RUNNING = "running"
    EVALUATING = "evaluating"
    PROMOTED = "promoted"
    HELD = "held"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SnapshotPart(StrEnum):
    """How a training run uses a text. A HELD_OUT text is for evaluation and is never trained on in any run."""

    TRAIN = "train"
    HELD_OUT = "held_out"


class OfferState(StrEnum):
    """The state of a label offer. An UNDONE text may be offered again."""

    SHOWN = "shown"
    ANSWERED = "answered"
    SKIPPED = "skipped"
    UNDONE = "undone"
