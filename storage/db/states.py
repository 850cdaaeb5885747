"""The states, kinds and answers that columns hold as words."""

from enum import StrEnum


class Consent(StrEnum):
    """Whether a person's texts and judgements may train a model."""

    NEVER_ASKED = "never_asked"
    ASKED = "asked"
    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class UpdateState(StrEnum):
    """How far the handling of an update is; ERASED means that its sender was deleted while it waited."""

    RECEIVED = "received"
    ERASED = "erased"
    HANDLED = "handled"
    FAILED = "failed"


class ReplyState(StrEnum):
    """How far the sending of a reply is; UNCERTAIN means that it may or may not have arrived."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    FAILED = "failed"


class Vote(StrEnum):
    """What a person says of a prediction; NEITHER: the text has no sentiment of the two."""

    RIGHT = "right"
    WRONG = "wrong"
    NEITHER = "neither"


class RunKind(StrEnum):
    """Where a training run starts: a FEEDBACK_ROUND from the anchor, a FULL_RUN from the base encoder."""

    FEEDBACK_ROUND = "feedback_round"
    FULL_RUN = "full_run"


class Trigger(StrEnum):
    """What asked for a training run."""

    SCHEDULE = "schedule"
    CORRECTIONS = "judgements"
    ADMIN = "admin"


class RunState(StrEnum):
    """How far a training run is. HELD: not proven better, or waiting for an admin. REJECTED: proven worse."""

    QUEUED = "queued"
    RUNNING = "running"
    EVALUATING = "evaluating"
    PROMOTED = "promoted"
    HELD = "held"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SnapshotPart(StrEnum):
    """What a judged text does in a training run; a HELD_OUT one measures, and never trains in any run."""

    TRAIN = "train"
    HELD_OUT = "held_out"


class OfferState(StrEnum):
    """What became of a text that was offered to a labeller; UNDONE may be offered again."""

    SHOWN = "shown"
    ANSWERED = "answered"
    SKIPPED = "skipped"
    UNDONE = "undone"
