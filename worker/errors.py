"""Errors in the worker's training runs. ``core.errors`` shows the whole tree."""

from core.errors import ThumbsError
from storage.errors import StorageError


class NoLiveModel(StorageError):
    message = "There is no live model to compare with yet. Start the bot once, then request the run again."


class NothingToLearn(ThumbsError):
    message = (
        "There is nothing to train on yet. A text can be used for training once two people agree on its label or an "
        "admin has labelled it."
    )


class TrainingFailed(ThumbsError):
    message = "{sentence}"


class TrainerDied(ThumbsError):
    message = "The trainer died with exit status {status}; the machine may have run out of memory."


class RunCancelled(ThumbsError):
    message = "Training run {run_id} was cancelled."


class WorkerStopping(ThumbsError):
    message = "The worker is stopping, so another worker will continue run {run_id}."


class RunPaused(ThumbsError):
    message = "Run {run_id} has been training for {hours} hours and will continue from its last checkpoint."


class RunTooLong(ThumbsError):
    message = "The run was stopped because it made no progress in training for {hours} hours."
