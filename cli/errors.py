"""What can go wrong with the commands. ``core.errors`` draws the tree."""

from core.errors import BadInput, ThumbsError


class DemoRunning(BadInput):
    message = "Another demo runs on {path}. Stop that one, or set DATA_DIR to another folder."


class NoCorrections(BadInput):
    message = (
        "The recipe {name} learns from corrections. Name their file, a table with the columns text and "
        "label, with --corrections."
    )


class UnusedOption(BadInput):
    message = "The option {option} does nothing with the recipe {name}; leave it out."


class BadCorrections(BadInput):
    message = "Nothing of {path} was imported, for some rows cannot be used:{problems}"


class MissingPackage(ThumbsError):
    message = (
        "{what} needs {package}, which is in the training environment only. python3 requirements/make_env.py "
        "train makes it, and .venv-train/bin/thumbs is the command in it."
    )


class NoAdmins(BadInput):
    message = "There is no admin whose word could be final. Set ADMIN_IDS to the numeric Telegram ids of the admins."


class UnknownPerson(BadInput):
    message = "Nobody with the Telegram id {telegram_id} is in the database."


class RunGoesOn(ThumbsError):
    message = "Run {run_id} is {state}, and goes on without this command. thumbs retrain --wait joins it again."
    exit_code = 130


class NoEarlierModel(BadInput):
    message = (
        "No other model that can still answer was live before, so there is none to go back to. thumbs models "
        "list shows those that there are."
    )


class ColumnTaken(BadInput):
    message = "{path} has a column {column} already, and the result would be written over it. Rename that column."


class ProcessEnded(ThumbsError):
    message = "The {name} ended by itself with status {status}. {log} ends with: {lines}"


class ProcessSilent(ThumbsError):
    message = "The demo was not ready after {seconds} seconds: the {name} does not answer. {log} may say why."
