"""What can go wrong with the database and the store of models. ``core.errors`` draws the tree."""

from core.errors import BadInput, ThumbsError


class StorageError(ThumbsError):
    message = "The database did not do what was asked; the log has the details."


class DatabaseUnusable(StorageError):
    message = "The database at {address} cannot be used: {reason}. Check DATABASE_URL and that its server is running."


class SchemaMismatch(StorageError):
    message = "The database is at migration {found} and this program needs {needed}. Run: thumbs db upgrade"


class MigrationRefused(StorageError):
    message = (
        "The migration would leave rows that refer to others which are not there ({rows}), so nothing was "
        "changed. Something else than this program changed the database; restore a copy of it."
    )


class KeyMissing(StorageError):
    message = (
        "There is no encryption key. Set ENCRYPTION_KEY, or ENCRYPTION_KEY_FILE to a file that holds one; "
        "thumbs key new makes one."
    )


class KeyWrong(StorageError):
    message = "The encryption key does not open what is stored. Put back the key that the database was written with."


class KeyExists(BadInput):
    message = "There is a file at {path} already. It may be the key that the database was written with, so it is kept."


class UnknownMessage(StorageError):
    message = "Message {message_id} is not in the database; it was deleted."


class UpdateHandled(StorageError):
    message = "Update {update_id} was handled already, by another process of this bot, so nothing was done again."


class UnknownPrediction(StorageError):
    message = "Prediction {prediction_id} is not in the database; the text that it was made for was deleted."


class UnknownModelVersion(BadInput):
    message = "There is no model version {version} in the registry; register it first."


class ModelVersionTaken(BadInput):
    message = "Model version {version} is registered with other contents. Give the new model another version."


class UnknownRun(BadInput):
    message = "There is no training run {run_id}."


class LeaseLost(StorageError):
    message = "Training run {run_id} is no longer this worker's: it was cancelled, ended or taken over by another."


class StoreUnusable(StorageError):
    message = "The store of models at {address} cannot be used: {reason}. Check ARTIFACT_STORE."


class NotInTheStore(StorageError):
    message = "There is no model {location} in the store of models at {address}."


class ModelRemoved(BadInput):
    message = (
        "The files of model version {version} were removed, so it cannot answer again. thumbs models list "
        "shows those that can."
    )


class LiveModelChanged(StorageError):
    message = (
        "The live model changed from {expected} to {found} while another was on its way, so nothing was "
        "changed. Look at thumbs models list and decide anew."
    )
