"""What can go wrong with a training run in the worker. ``core.errors`` draws the tree."""

from core.errors import ThumbsError
from storage.errors import StorageError


class NoLiveModel(StorageError):
    message = (
        "No model is live yet, so there is none to do better than. Start the bot once, then ask for the run again."
    )


class NothingToLearn(ThumbsError):
    message = (
        "There is nothing to learn from yet: no judgement counts. Two people have to agree on a text, or an "
        "admin has to judge it."
    )


class NothingLeftToLearn(ThumbsError):
    message = (
        "There is nothing to learn from yet: every judged text that counts ({texts}) is kept aside to "
        "measure by. Judge some more, then ask again."
    )


class TrainingFailed(ThumbsError):
    message = "{sentence}"


class TrainerDied(ThumbsError):
    message = (
        "The trainer of run {run_id} ended by itself with status {status}; the machine may have run out of memory."
    )


class RunCancelled(ThumbsError):
    message = "Training run {run_id} was cancelled."


class WorkerStopping(ThumbsError):
    message = "The worker was told to stop; run {run_id} goes on with the next one."


class RunTooLong(ThumbsError):
    message = "It took longer than {hours} hours, so it was ended."
