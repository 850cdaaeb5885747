"""Enums that columns store as words."""

from enum import StrEnum


class Consent(StrEnum):
    """A person's consent in one scope, such as training."""

    NEVER_ASKED = "never_asked"
    ASKED = "asked"
    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class UpdateState(StrEnum):
    """The state of an update in the inbox. ERASED: the sender was deleted while the update was pending."""

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


class Abstention(StrEnum):
    """What became of a prediction for a text that does not read like a review.

    SHOWN: the bot said so instead of showing the prediction. OVERRULED: the person then replied that the text is a
    review.
    """

    SHOWN = "shown"
    OVERRULED = "overruled"


class Reason(StrEnum):
    """Why a person voted against a verdict. BOTH: the text praises and criticises at once."""

    BOTH = "both"
    NOT_REVIEW = "not_review"
    SARCASM = "sarcasm"
    OTHER = "other"


class RunKind(StrEnum):
    """The kind of a training run: a FEEDBACK_ROUND starts from the anchor model, a FULL_RUN from the base encoder."""

    FEEDBACK_ROUND = "feedback_round"
    FULL_RUN = "full_run"


class Trigger(StrEnum):
    """The reason for a training run: the schedule, enough new corrections, or an admin's request."""

    SCHEDULE = "schedule"
    CORRECTIONS = "judgements"
    ADMIN = "admin"


class RunState(StrEnum):
    """The state of a training run. HELD: not proven better, or awaiting an admin. REJECTED: proven worse.

    TRIAL: probably better, so its model went live on trial.
    """

    QUEUED = "queued"
    RUNNING = "running"
    EVALUATING = "evaluating"
    PROMOTED = "promoted"
    TRIAL = "trial"
    HELD = "held"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunPhase(StrEnum):
    """What the trainer is doing."""

    LOADING = "loading"
    REPLAY = "replay"
    TRAINING = "training"
    PUBLISHING = "publishing"
    VOTES = "votes"
    REVIEWS = "reviews"
    BEHAVIOUR = "behaviour"
    TRIGGERS = "triggers"


class TrialState(StrEnum):
    """The state of a trial. ENDED: another model went live, so the trial has no result."""

    RUNNING = "running"
    CONFIRMED = "confirmed"
    ROLLED_BACK = "rolled_back"
    ENDED = "ended"


class SnapshotPart(StrEnum):
    """How a training run uses a text: TRAIN for training and for measuring, MEASURE only for measuring.

    MEASURE is for the texts beyond a person's quota. Snapshots made before cross-fitting was introduced used MEASURE
    for every held-out text, which works the same way. NOT_REVIEW is for texts that, according to people, are not
    reviews. These texts train only the review head.
    """

    TRAIN = "train"
    MEASURE = "held_out"
    NOT_REVIEW = "not_review"


class OfferState(StrEnum):
    """The state of a label offer. An UNDONE text can be offered again."""

    SHOWN = "shown"
    ANSWERED = "answered"
    SKIPPED = "skipped"
    UNDONE = "undone"


class Selection(StrEnum):
    """How a text was chosen for a labeller: drawn at RANDOM, or because the model is LEAST_SURE of it."""

    RANDOM = "random"
    LEAST_SURE = "least_sure"
