"""Errors that commands raise. ``core.errors`` shows the whole tree."""

from core.errors import BadInput, ThumbsError


class DemoRunning(BadInput):
    message = "Another demo is already using {path}. Stop that demo, or set DATA_DIR to a different folder."


class NoCorrections(BadInput):
    message = (
        "The {name} recipe trains on corrections, but none were given. Use --corrections to pass a "
        "table with text and label columns."
    )


class UnusedOption(BadInput):
    message = "The {option} option has no effect with the {name} recipe. Remove it."


class BadCorrections(BadInput):
    message = "Nothing was imported, because {path} has rows that cannot be used:{problems}"


class MissingPackage(ThumbsError):
    message = (
        "{what} needs {package}, which is only in the training environment. Install that environment with python3 "
        "requirements/make_env.py train, and run the command as .venv-train/bin/thumbs."
    )


class NoAdmins(BadInput):
    message = (
        "The --as-admin option needs an admin, but none is set. Set ADMIN_IDS to the admins' numeric Telegram ids."
    )


class UnknownPerson(BadInput):
    message = (
        "No user with the Telegram id {telegram_id} was found. Either the id is wrong, or the user was deleted. After "
        "a deletion, there is no record of which models used the data."
    )


class RunInProgress(ThumbsError):
    message = (
        "Run {number} is {state} and will continue without this command. To wait for it again, run thumbs retrain "
        "--wait."
    )
    exit_code = 130


class LearningPaused(BadInput):
    message = "Learning is paused, so no run can start. An admin can resume it in the chat with /resume."


class NoEarlierModel(BadInput):
    message = (
        "There is no earlier live model left to roll back to. To see the published models, run thumbs models list."
    )


class IncompleteBackup(ThumbsError):
    message = (
        "The backup {path} was written, but it is incomplete: the files of {versions} are not in it. Make them "
        "available and run the command again. If a model is gone for good, run: thumbs models remove VERSION"
    )


class ColumnTaken(BadInput):
    message = "{path} already has a column named {column}, which the result would overwrite. Rename that column."


class MetricsPortNotSet(BadInput):
    message = (
        "METRICS_PORT is not set, so the bot or worker does not report its health. Set it to the same free port for "
        "that process and for this command."
    )


class NotMonitored(ThumbsError):
    message = (
        "No bot or worker is responding at {address}. Start one with METRICS_PORT set to this port, or check "
        "METRICS_LISTEN and METRICS_PORT."
    )


class NotReady(ThumbsError):
    message = "Not ready: {problems}"


class ProcessEnded(ThumbsError):
    message = "The {name} exited unexpectedly with status {status}. The last lines of {log}: {lines}"


class ProcessNotReady(ThumbsError):
    message = "The demo was not ready after {seconds} seconds: the {name} did not respond. See {log}."
