"""The base of the error tree, and the errors that several rooms raise.

Raise with the facts that the message names: ``raise MissingFile(path=path)``. Commands print the message and exit with
``exit_code``; processes log it. The tree, with the room whose ``errors`` module defines each class::

    ThumbsError
        BadInput
            BadSetting
            MissingFile
            NoReviews
            UnwritableFile
            PortTaken
            DemoRunning  (cli)
            NoCorrections  (cli)
            UnusedOption  (cli)
            BadCorrections  (cli)
            NoAdmins  (cli)
            UnknownPerson  (cli)
            NoEarlierModel  (cli)
            ColumnTaken  (cli)
            UnreadableTable  (ml)
            EmptyTable  (ml)
            NotTheImdbData  (ml)
            MissingColumn  (ml)
            TooFewReviews  (ml)
            TooFewCorrections  (ml)
            UnusableAnchor  (ml)
            UnknownReviews  (ml)
            SeveralDataSets  (ml)
            MissingSplit  (ml)
            NoDoubtfulLabels  (ml)
            UnknownLabel  (ml)
            UnusableCheckpoint  (ml)
            UnknownRecipe  (ml)
            BadRecipe  (ml)
            UnusableCheck  (ml)
            NothingToResume  (ml)
            FolderTaken  (ml)
            NoBaseModel  (ml)
            UnusablePlaygroundFile  (playground)
            KeyExists  (storage)
            UnknownModelVersion  (storage)
            ModelVersionTaken  (storage)
            UnknownRun  (storage)
            ModelRemoved  (storage)
        NeedsTrainingEnvironment
        BrokerUnusable  (broker)
        MissingPackage  (cli)
        RunGoesOn  (cli)
        ProcessEnded  (cli)
        ProcessSilent  (cli)
        UnusableArtifact  (ml)
        DownloadFailed  (ml)
        FineTuneStopped  (ml)
        PlaygroundRefused  (playground)
        StorageError  (storage)
            DatabaseUnusable  (storage)
            SchemaMismatch  (storage)
            MigrationRefused  (storage)
            KeyMissing  (storage)
            KeyWrong  (storage)
            UnknownMessage  (storage)
            UpdateHandled  (storage)
            UnknownPrediction  (storage)
            LeaseLost  (storage)
            StoreUnusable  (storage)
            NotInTheStore  (storage)
            LiveModelChanged  (storage)
            NoLiveModel  (worker)
        NothingToLearn  (worker)
        NothingLeftToLearn  (worker)
        TrainingFailed  (worker)
        TrainerDied  (worker)
        RunCancelled  (worker)
        WorkerStopping  (worker)
        RunTooLong  (worker)
"""

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Self


class ThumbsError(Exception):
    """The base of every error that a person may read."""

    message: ClassVar[str] = "Something went wrong inside Thumbs; the log has the details."
    exit_code: ClassVar[int] = 1

    def __init__(self, **facts: object) -> None:
        super().__init__(self.message.format(**facts))
        self._facts = facts

    def __reduce__(self) -> tuple[Callable[[], Self], tuple[()]]:
        """Pickle as the class and its facts, so an error raised in a pool reaches the process that waits for it."""
        return partial(type(self), **self._facts), ()


class BadInput(ThumbsError):
    message = "What was given cannot be used; the arguments or the file need a change."
    exit_code = 2


class BadSetting(BadInput):
    message = "The setting {name} cannot be used: {reason}. Change it in the environment or in .env."


class MissingFile(BadInput):
    message = "There is no file or folder at {path}; check the path."


class NoReviews(BadInput):
    message = "No labelled reviews are given. Name them with --data or IMDB_PATH; thumbs data fetch downloads IMDB's."


class NeedsTrainingEnvironment(ThumbsError):
    message = (
        "The command thumbs {command} needs {package}, which is in the training environment only. In the "
        "project's folder, make {target} ARGS='...' makes that environment and runs the command there."
    )


class UnwritableFile(BadInput):
    message = "{path} cannot be written: {reason}."


class PortTaken(BadInput):
    message = (
        "Port {port} on {host} cannot be used: {reason}. Stop what listens there, or set PLAYGROUND_PORT to another."
    )
