"""Describes training runs in the terminal."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from storage.training.runs import Run

# What a run is doing in each phase, by the phase's name.
_PHASES: Final = {
    "loading": "Loading models and reviews",
    "replay": "Choosing reviews to replay",
    "training": "Preparing the training",
    "publishing": "Saving the new model",
    "votes": "Comparing on people's votes",
    "reviews": "Comparing on IMDB reviews",
    "behaviour": "Comparing on test cases",
    "triggers": "Looking for planted words",
}


def request_text(run: "Run", new: bool) -> str:
    """Return the first line to print, which says whether the run has just been queued or was already open."""
    kind = run.kind.replace("_", " ")
    if new:
        return f"Run {run.number} ({kind}) is queued."
    return f"Run {run.number} ({kind}) was already in progress; this command has joined it."


def progress_text(run: "Run") -> str:
    """Return what the run is doing, in a few words for the progress bar."""
    from storage.db.states import RunPhase, RunState

    if run.open and run.cancel_asked:
        return "Stopping"
    if run.state is RunState.QUEUED:
        return "Waiting for a worker"
    if run.state is RunState.RUNNING and run.epoch and run.phase in (None, RunPhase.TRAINING):
        return f"Epoch {run.epoch} of {run.epochs}"
    if run.open and run.phase is not None:
        return _PHASES[run.phase]
    if run.state is RunState.RUNNING:
        return "Preparing the labelled texts"
    return "Evaluating" if run.state is RunState.EVALUATING else "Done"


def outcome_text(run: "Run") -> str:
    """Return the outcome of a finished run: the gate's sentence and the new version, or why there is no new version."""
    from storage.db.states import RunState

    if run.state is RunState.CANCELLED:
        return f"Run {run.number} was cancelled."
    if run.decision is None:
        return f"Run {run.number} failed: {run.error}"
    sentence = str(run.decision["sentence"])
    return f"{sentence} The new model is {run.candidate}." if run.candidate else sentence
