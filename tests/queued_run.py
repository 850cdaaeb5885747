"""A training run that waits for a worker, for tests that only look at a run."""

from datetime import UTC, datetime
from typing import Final

from storage.db.states import RunKind, RunState, Trigger
from storage.training.runs import Run

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
QUEUED: Final = Run(
    id=1,
    number=1,
    kind=RunKind.FULL_RUN,
    trigger=Trigger.ADMIN,
    requested_by=None,
    state=RunState.QUEUED,
    open=True,
    attempts=0,
    cancel_asked=False,
    snapshot_at=None,
    step=0,
    steps=None,
    epochs=None,
    samples_per_second=None,
    champion=None,
    candidate=None,
    decision=None,
    error=None,
    created_at=NOW,
    started_at=None,
    finished_at=None,
)
