"""Errors raised by the database and the artifact store. ``core.errors`` shows the whole tree."""

from core.errors import BadInput, ThumbsError


class StorageError(ThumbsError):
    message = "The database operation failed; see the log for details."


class DatabaseUnusable(StorageError):
    message = (
        "The database at {address} cannot be used: {reason}. Check DATABASE_URL, and make sure that the server is "
        "running."
    )


class SchemaMismatch(StorageError):
    message = "The database is at migration {found}, but this program needs {needed}. Run: thumbs db upgrade"


class UnknownMigration(StorageError):
    message = (
        "The database is at migration {found}, which this release doesn't recognise. A newer release migrated it, so "
        "install that release."
    )


class RestoreUnfinished(StorageError):
    message = "A restore into this database was interrupted, so the database is unusable. Run thumbs restore again."


class MigrationRefused(StorageError):
    message = (
        "The migration would leave rows that refer to missing rows ({rows}), so nothing was changed. Another program "
        "must have modified the database, so restore a backup."
    )


class KeyMissing(StorageError):
    message = (
        "There is no encryption key. Set ENCRYPTION_KEY, or set ENCRYPTION_KEY_FILE to a file that contains one. "
        "Create one with: thumbs key new"
    )


class KeyNotSet(KeyMissing):
    message = "No encryption key is set, but {path} exists. To use that key, set ENCRYPTION_KEY_FILE to {path}."


class KeyWrong(StorageError):
    message = "The encryption key cannot decrypt the stored data. Restore the key that the database was encrypted with."


class RowsUndecipherable(KeyWrong):
    message = (
        "The encryption key cannot decrypt rows in these tables: {tables}. In the list of keys, put the key that they "
        "were encrypted with after the newest key, and run: thumbs key rotate"
    )


class BotsRunning(BadInput):
    message = (
        "The keys were not rotated, because a running bot would keep writing with the old key: {processes}. Stop "
        "every bot first. After being killed, a bot still counts as running for {seconds} seconds."
    )


class KeyExists(BadInput):
    message = "The file {path} already exists. It may contain the database's key, so it was not overwritten."


class UnknownMessage(StorageError):
    message = "Message {message_id} has been deleted."


class UpdateHandled(StorageError):
    message = "Update {update_id} was not handled, because another process of this bot has already handled it."


class UnknownPrediction(StorageError):
    message = "Prediction {prediction_id} has been deleted together with its text."


class UnknownUpdate(BadInput):
    message = (
        "There is no unfinished update {update_id}; it may have been handled, dropped, deleted with its sender "
        "or never stored. To see the unfinished updates, run thumbs updates list."
    )


class SeveralUpdates(BadInput):
    message = "More than one bot has an update {update_id}: {bots}. Choose one with --bot."


class UpdateNotFailed(BadInput):
    message = "Update {update_id} is {state}; only failed updates can be retried."


class UnknownReply(BadInput):
    message = "Reply {reply_id} does not exist; it may have been purged. To see the replies, run thumbs outbox list."


class ReplySettled(BadInput):
    message = "Reply {reply_id} is {state}; only {allowed} replies can be {change}."


class ReplyReplaced(BadInput):
    message = (
        "Reply {reply_id} cannot be retried, because its text was edited and reply {newer_id} replaced it. Drop it, "
        "or leave it alone."
    )


class UnknownModelVersion(BadInput):
    message = "Model version {version} is not in the registry. Register it first."


class ModelVersionTaken(BadInput):
    message = (
        "Model version {version} is already registered with different contents. Give the new model a different version."
    )


class UnknownRun(BadInput):
    message = "Training run {run_id} does not exist."


class LeaseLost(StorageError):
    message = (
        "This worker lost the lease of training run {run_id}: the run was cancelled, finished or claimed by another "
        "worker."
    )


class StoreUnusable(StorageError):
    message = "The artifact store at {address} cannot be used: {reason}. Check ARTIFACT_STORE."


class NotInTheStore(StorageError):
    message = "The artifact store at {address} does not contain a model named {location}."


class ModelFolderUnusable(StorageError):
    message = (
        "The model folder {folder} cannot be used: {reason}. Make it available again, or choose a different model "
        "with: thumbs models promote"
    )


class ModelRemoved(BadInput):
    message = (
        "The files for model version {version} have been removed, so it cannot go live again. List the available "
        "versions with: thumbs models list"
    )


class ModelLive(BadInput):
    message = (
        "Model version {version} is the live model, so it cannot be removed. Choose another model first, with: thumbs "
        "models promote"
    )


class LiveModelChanged(StorageError):
    message = (
        "The live model changed from {expected} to {found} in the meantime, so nothing was changed. Run "
        "thumbs models list to see which model is live, then try again."
    )


class UnusableBackup(BadInput):
    message = "The backup {path} cannot be used: {reason}."


class DatabaseNotEmpty(BadInput):
    message = (
        "The database at {address} is not empty, so nothing was restored. Restore into a new database: move the old "
        "file away, or set DATABASE_URL to an empty database."
    )
