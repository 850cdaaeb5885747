"""The error tree. A class's docstring is the sentence that a person reads.

Raise with the facts that the sentence names: ``raise MissingColumn(path=path, column="text", columns="a, b")``.
Commands print the sentence and exit with ``exit_code``; processes log it.
"""

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Self


class ThumbsError(Exception):
    """Something went wrong inside Thumbs; the log has the details."""

    exit_code: ClassVar[int] = 1

    def __init__(self, **facts: object) -> None:
        super().__init__((type(self).__doc__ or "").format(**facts))
        self._facts = facts

    def __reduce__(self) -> tuple[Callable[[], Self], tuple[()]]:
        """Make the error anew of its facts, so that one raised in a process of a pool reaches the process that asked."""
        return partial(type(self), **self._facts), ()


class BadInput(ThumbsError):
    """What was given cannot be used; the arguments or the file need a change."""

    exit_code = 2


class DemoRunning(BadInput):
    """Another demo runs on {path}. Stop that one, or set DATA_DIR to another folder."""


class BadSetting(BadInput):
    """The setting {name} cannot be used: {reason}. Change it in the environment or in .env."""


class MissingFile(BadInput):
    """There is no file or folder at {path}; check the path."""


class UnreadableTable(BadInput):
    """{path} cannot be read as {format}: {reason}. Save it again as a plain table."""


class EmptyTable(BadInput):
    """{path} has no rows; give a file with a header and at least one review."""


class NotTheImdbData(BadInput):
    """{path} holds no train/pos, train/neg, test/pos or test/neg with reviews; give the aclImdb folder or tar file, a CSV or a parquet file."""


class MissingColumn(BadInput):
    """{path} has no column {column}; its columns are {columns}. Rename one of them or name the right one."""


class TooFewReviews(BadInput):
    """{path} gives {rows} reviews to fine-tune on; more are needed, of both labels, to train and to measure."""


class TooFewCorrections(BadInput):
    """{path} holds no correction to learn from: each of its texts is judged both ways or held out to measure by."""


class NoCorrections(BadInput):
    """The recipe {name} learns from corrections. Name their file, a table with the columns text and label, with --corrections."""


class UnusableAnchor(BadInput):
    """A feedback round cannot start from {path}: {reason}. Name a published model that was fine-tuned on reviews with --base or ANCHOR."""


class UnusedOption(BadInput):
    """The option {option} does nothing with the recipe {name}; leave it out."""


class NoReviews(BadInput):
    """No labelled reviews are given. Name them with --data or IMDB_PATH; thumbs data fetch downloads IMDB's."""


class UnknownReviews(BadInput):
    """The reviews {name} were not found: there is no such file or folder and, taken as a data set of the Hugging Face hub, {reason}. Put a CSV file, a parquet file or the aclImdb data on this machine and name its path with --data or IMDB_PATH."""


class SeveralDataSets(BadInput):
    """{name} holds several data sets, in {folders}. Name one of them, as in {example}."""


class MissingPart(BadInput):
    """The reviews have no part {part}; their parts are {parts}."""


class NoDoubtfulLabels(BadInput):
    """{path} doubts the label of none of the reviews measured, the first of which is {name} of {source}. Give the list that was made for them, or none."""


class UnknownLabel(BadInput):
    """{path}, data row {row}: {label!r} is not a sentiment. Use positive or negative, or 1 or 0."""


class BadCorrections(BadInput):
    """Nothing of {path} was imported, for some rows cannot be used:{problems}"""


class MissingPackage(ThumbsError):
    """{what} needs {package}, which is in the training environment only. python3 requirements/make_env.py train makes it, and .venv-train/bin/thumbs is the command in it."""


class NoAdmins(BadInput):
    """There is no admin whose word could be final. Set ADMIN_IDS to the numeric Telegram ids of the admins."""


class UnknownPerson(BadInput):
    """Nobody with the Telegram id {telegram_id} is in the database."""


class UnusableCheckpoint(BadInput):
    """The checkpoint at {path} cannot be used: {reason}."""


class UnusableArtifact(ThumbsError):
    """The model at {path} is refused: {reason}. Publish it again; the model that was serving goes on."""


class NeedsTrainingEnvironment(ThumbsError):
    """The command thumbs {command} needs {package}, which is in the training environment only. In the project's folder, make {target} ARGS='...' makes that environment and runs the command there."""


class UnknownRecipe(BadInput):
    """There is no recipe named {name}; the recipes are {known}, or give the path of a .toml file."""


class BadRecipe(BadInput):
    """The recipe {path} cannot be used: {reason}."""


class UnusableCheck(BadInput):
    """The behavioural check {path} cannot be used: {reason}. docs/decisions/behavioural-checks.md says how one is written."""


class DownloadFailed(ThumbsError):
    """{url} could not be fetched: {reason}. Try again, which goes on where it stopped, or put the file at {path} yourself."""


class NothingToResume(BadInput):
    """There is no fine-tune to go on with at {path}: {reason}. Start it without --resume."""


class FineTuneStopped(ThumbsError):
    """Stopped after step {step} of {steps}; what was learnt is kept. The same command with --resume goes on."""

    exit_code = 130


class FolderTaken(BadInput):
    """{path} is there already and is no published model; give another folder, or remove it."""


class NoBaseModel(BadInput):
    """The base model {name!r} was not found: {reason}. Set BASE_MODEL to a hub name or a folder."""


class StorageError(ThumbsError):
    """The database did not do what was asked; the log has the details."""


class DatabaseUnusable(StorageError):
    """The database at {address} cannot be used: {reason}. Check DATABASE_URL and that its server is running."""


class SchemaMismatch(StorageError):
    """The database is at migration {found} and this program needs {needed}. Run: thumbs db upgrade"""


class MigrationRefused(StorageError):
    """The migration would leave rows that refer to others which are not there ({rows}), so nothing was changed. Something else than this program changed the database; restore a copy of it."""


class KeyMissing(StorageError):
    """There is no encryption key. Set ENCRYPTION_KEY, or ENCRYPTION_KEY_FILE to a file that holds one; thumbs key new makes one."""


class KeyWrong(StorageError):
    """The encryption key does not open what is stored. Put back the key that the database was written with."""


class KeyExists(BadInput):
    """There is a file at {path} already. It may be the key that the database was written with, so it is kept."""


class UnknownMessage(StorageError):
    """Message {message_id} is not in the database; it was deleted."""


class UpdateHandled(StorageError):
    """Update {update_id} was handled already, by another process of this bot, so nothing was done again."""


class UnknownPrediction(StorageError):
    """Prediction {prediction_id} is not in the database; the text that it was made for was deleted."""


class UnknownModelVersion(BadInput):
    """There is no model version {version} in the registry; register it first."""


class ModelVersionTaken(BadInput):
    """Model version {version} is registered with other contents. Give the new model another version."""


class UnknownRun(BadInput):
    """There is no training run {run_id}."""


class LeaseLost(StorageError):
    """Training run {run_id} is no longer this worker's: it was cancelled, ended or taken over by another."""


class StoreUnusable(StorageError):
    """The store of models at {address} cannot be used: {reason}. Check ARTIFACT_STORE."""


class BrokerUnusable(ThumbsError):
    """The broker at {address} does not answer: {reason}. Check BROKER_URL and that its server is running."""


class NotInTheStore(StorageError):
    """There is no model {location} in the store of models at {address}."""


class NoLiveModel(StorageError):
    """No model is live yet, so there is none to do better than. Start the bot once, then ask for the run again."""


class NothingToLearn(ThumbsError):
    """There is nothing to learn from yet: no judgement counts. Two people have to agree on a text, or an admin has to judge it."""


class NothingLeftToLearn(ThumbsError):
    """There is nothing to learn from yet: every judged text that counts ({texts}) is kept aside to measure by. Judge some more, then ask again."""


class TrainingFailed(ThumbsError):
    """{sentence}"""


class TrainerDied(ThumbsError):
    """The trainer of run {run_id} ended by itself with status {status}; the machine may have run out of memory."""


class RunCancelled(ThumbsError):
    """Training run {run_id} was cancelled."""


class WorkerStopping(ThumbsError):
    """The worker was told to stop; run {run_id} goes on with the next one."""


class RunGoesOn(ThumbsError):
    """Run {run_id} is {state}, and goes on without this command. thumbs retrain --wait joins it again."""

    exit_code = 130


class RunTooLong(ThumbsError):
    """It took longer than {hours} hours, so it was ended."""


class ModelRemoved(BadInput):
    """The files of model version {version} were removed, so it cannot answer again. thumbs models list shows those that can."""


class NoEarlierModel(BadInput):
    """No other model that can still answer was live before, so there is none to go back to. thumbs models list shows those that there are."""


class LiveModelChanged(StorageError):
    """The live model changed from {expected} to {found} while another was on its way, so nothing was changed. Look at thumbs models list and decide anew."""


class ColumnTaken(BadInput):
    """{path} has a column {column} already, and the result would be written over it. Rename that column."""


class UnwritableFile(BadInput):
    """{path} cannot be written: {reason}."""


class PortTaken(BadInput):
    """Port {port} on {host} cannot be used: {reason}. Stop what listens there, or set PLAYGROUND_PORT to another."""


class ProcessEnded(ThumbsError):
    """The {name} ended by itself with status {status}. {log} ends with: {lines}"""


class ProcessSilent(ThumbsError):
    """The demo was not ready after {seconds} seconds: the {name} does not answer. {log} may say why."""


class UnusablePlaygroundFile(BadInput):
    """The playground's file {path} cannot be used: {reason}. Remove it to start over without what it kept."""


class PlaygroundRefused(ThumbsError):
    """The playground refused {path}: {reason}"""
