"""Errors of the database and of the artifact store. ``core.errors`` shows the whole tree."""

from core.errors import BadInput, ThumbsError


class StorageError(ThumbsError):
    message = "The database operation failed; see the log for details."


class DatabaseUnusable(StorageError):
    message = "The database at {address} cannot be used: {reason}. Check DATABASE_URL and that the server is running."


class SchemaMismatch(StorageError):
    message = "The database is at migration {found}, but this program needs {needed}. Run: thumbs db upgrade"


class MigrationRefused(StorageError):
    message = (
        "The migration would leave rows that refer to missing rows ({rows}), so nothing was changed. Another program "
        "must have modified the database; restore a backup."
    )


class KeyMissing(StorageError):
    message = (
        "There is no encryption key. Set ENCRYPTION_KEY, or set ENCRYPTION_KEY_FILE to a file that contains one. "
        "Create one with: thumbs key new"
    )


class KeyWrong(StorageError):
    message = "The encryption key cannot decrypt the stored data. Restore the key that the database was encrypted with."


class RowsUndecipherable(KeyWrong):
    message = (
        "The encryption key cannot decrypt rows of the tables {tables}. Put the key that they were encrypted with "
        "after the newest one, and run: thumbs key rotate"
    )


class BotsRunning(BadInput):
    message = (
        "The keys were not rotated, because a running bot would go on writing with the old key: {processes}. Stop "
        "every bot first. A bot that was killed counts as running for {seconds} seconds."
    )


class KeyExists(BadInput):
    message = "The file {path} exists already. It may hold the key of the database, so it was not overwritten."


class UnknownMessage(StorageError):
    message = "Message {message_id} does not exist; it was deleted."


class UpdateHandled(StorageError):
    message = "Update {update_id} was already handled by another process of this bot, so nothing was done twice."


class UnknownPrediction(StorageError):
    message = "Prediction {prediction_id} does not exist; its text was deleted."


class UnknownModelVersion(BadInput):
    message = "Model version {version} is not in the registry. Register it first."


class ModelVersionTaken(BadInput):
    message = (
        "Model version {version} is already registered with different contents. Give the new model another version."
    )


class UnknownRun(BadInput):
    message = "There is no training run {run_id}."


class LeaseLost(StorageError):
    message = (
        "This worker lost the lease of training run {run_id}: the run was cancelled, finished or claimed by another "
        "worker."
    )


class StoreUnusable(StorageError):
    message = "The artifact store at {address} cannot be used: {reason}. Check ARTIFACT_STORE."


class NotInTheStore(StorageError):
    message = "There is no model {location} in the artifact store at {address}."


class ModelRemoved(BadInput):
    message = (
        "The files of model version {version} were removed, so it cannot go live again. List the available versions "
        "with: thumbs models list"
    )


class LiveModelChanged(StorageError):
    message = (
        "The live model changed from {expected} to {found} in the meantime, so nothing was changed. Check "
        "thumbs models list, then try again."
    )
