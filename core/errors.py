"""The base of the error tree, and the errors that several rooms raise.

Pass the values for the message's placeholders: ``raise MissingFile(path=path)``. Commands print the message and exit
with ``exit_code``. Processes log it. In this tree, brackets name the room whose ``errors`` module defines the class::

    ThumbsError
        BadInput
            BadSetting
            BadSettingsFile
            MissingFile
            NoReviews
            UnusablePath
            UnwritableFile
            PortTaken
            DemoRunning  (cli)
            NoCorrections  (cli)
            UnusedOption  (cli)
            BadCorrections  (cli)
            NoAdmins  (cli)
            UnknownPerson  (cli)
            LearningPaused  (cli)
            NoEarlierModel  (cli)
            ColumnTaken  (cli)
            MetricsPortNotSet  (cli)
            UnreadableTable  (ml)
            EmptyTable  (ml)
            NotTheImdbData  (ml)
            NoHeader  (ml)
            NotTexts  (ml)
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
            FineTuneDiverged  (ml)
            FolderTaken  (ml)
            NoBaseModel  (ml)
            UnusableReviewsFile  (ml)
            UnusableSoftLabels  (ml)
            UnusablePlaygroundFile  (playground)
            UnusableLesson  (playground)
            BotsRunning  (storage)
            KeyExists  (storage)
            UnknownUpdate  (storage)
            SeveralUpdates  (storage)
            UpdateNotFailed  (storage)
            UnknownReply  (storage)
            ReplySettled  (storage)
            ReplyReplaced  (storage)
            UnknownModelVersion  (storage)
            ModelVersionTaken  (storage)
            UnknownRun  (storage)
            ModelRemoved  (storage)
            ModelLive  (storage)
            UnusableBackup  (storage)
            DatabaseNotEmpty  (storage)
        NeedsTrainingEnvironment
        BrokerUnusable  (broker)
        MissingPackage  (cli)
        RunInProgress  (cli)
        IncompleteBackup  (cli)
        NotMonitored  (cli)
        NotReady  (cli)
        ProcessEnded  (cli)
        ProcessNotReady  (cli)
        UnusableArtifact  (ml)
        DownloadFailed  (ml)
        FineTuneStopped  (ml)
        PlaygroundRefused  (playground)
        StorageError  (storage)
            DatabaseUnusable  (storage)
            SchemaMismatch  (storage)
            UnknownMigration  (storage)
            RestoreUnfinished  (storage)
            MigrationRefused  (storage)
            KeyMissing  (storage)
                KeyNotSet  (storage)
            KeyWrong  (storage)
                RowsUndecipherable  (storage)
            UnknownMessage  (storage)
            UpdateHandled  (storage)
            UnknownPrediction  (storage)
            LeaseLost  (storage)
            StoreUnusable  (storage)
            NotInTheStore  (storage)
            ModelFolderUnusable  (storage)
            LiveModelChanged  (storage)
            NoLiveModel  (worker)
        NothingToLearn  (worker)
        TrainingFailed  (worker)
        TrainerDied  (worker)
        RunCancelled  (worker)
        WorkerStopping  (worker)
        RunPaused  (worker)
        RunTooLong  (worker)
"""

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Self


class ThumbsError(Exception):
    """The base class of all errors that are shown to users."""

    message: ClassVar[str] = "Thumbs failed. See the log for details."
    exit_code: ClassVar[int] = 1

    def __init__(self, **facts: object) -> None:
        super().__init__(self.message.format(**facts))
        self._facts = facts

    def __reduce__(self) -> tuple[Callable[[], Self], tuple[()]]:
        """Pickle the class and the message's values, so that an error from another process arrives unchanged."""
        return partial(type(self), **self._facts), ()


class BadInput(ThumbsError):
    message = "The input cannot be used. Change the arguments or the file."
    exit_code = 2


class BadSetting(BadInput):
    message = "The setting {name} cannot be used: {reason}. Change it in the environment or in .env."


class BadSettingsFile(BadInput):
    message = "The file {path} cannot be read: {reason}."


class MissingFile(BadInput):
    message = "There is no file or folder at {path}. Check the path."


class NoReviews(BadInput):
    message = (
        "No labelled reviews were given. Pass --data or set IMDB_PATH. To download the IMDB reviews, run thumbs data "
        "fetch."
    )


class NeedsTrainingEnvironment(ThumbsError):
    message = (
        "The thumbs {command} command needs {package}, which is only in the training environment. To install that "
        "environment and run the command in it, run make {target} ARGS='...' in the project's folder."
    )


class UnusablePath(BadInput):
    message = "{path} cannot be used: {reason}. Check the path and its permissions."


class UnwritableFile(BadInput):
    message = "{path} cannot be written: {reason}."


class PortTaken(BadInput):
    message = "Port {port} on {host} cannot be used: {reason}. Stop the program that uses it, or set PLAYGROUND_PORT."
