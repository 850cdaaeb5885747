"""What can go wrong with reading reviews, fine-tuning, measuring and loading models. ``core.errors`` draws the tree."""

from core.errors import BadInput, ThumbsError


class UnreadableTable(BadInput):
    message = "{path} cannot be read as {format}: {reason}. Save it again as a plain table."


class EmptyTable(BadInput):
    message = "{path} has no rows; give a file with a header and at least one review."


class NotTheImdbData(BadInput):
    message = (
        "{path} holds no train/pos, train/neg, test/pos or test/neg with reviews; give the aclImdb folder or "
        "tar file, a CSV or a parquet file."
    )


class MissingColumn(BadInput):
    message = "{path} has no column {column}; its columns are {columns}. Rename one of them or name the right one."


class TooFewReviews(BadInput):
    message = "{path} gives {rows} reviews to fine-tune on; more are needed, of both labels, to train and to measure."


class TooFewCorrections(BadInput):
    message = (
        "{path} holds no correction to learn from: each of its texts is judged both ways or held out to measure by."
    )


class UnusableAnchor(BadInput):
    message = (
        "A feedback round cannot start from {path}: {reason}. Name a published model that was fine-tuned on "
        "reviews with --base or ANCHOR."
    )


class UnknownReviews(BadInput):
    message = (
        "The reviews {name} were not found: there is no such file or folder and, taken as a data set of the "
        "Hugging Face hub, {reason}. Put a CSV file, a parquet file or the aclImdb data on this machine and "
        "name its path with --data or IMDB_PATH."
    )


class SeveralDataSets(BadInput):
    message = "{name} holds several data sets, in {folders}. Name one of them, as in {example}."


class MissingSplit(BadInput):
    message = "The reviews have no part {part}; their parts are {parts}."


class NoDoubtfulLabels(BadInput):
    message = (
        "{path} doubts the label of none of the reviews measured, the first of which is {name} of {source}. "
        "Give the list that was made for them, or none."
    )


class UnknownLabel(BadInput):
    message = "{path}, data row {row}: {label!r} is not a sentiment. Use positive or negative, or 1 or 0."


class UnusableCheckpoint(BadInput):
    message = "The checkpoint at {path} cannot be used: {reason}."


class UnusableArtifact(ThumbsError):
    message = "The model at {path} is refused: {reason}. Publish it again; the model that was serving goes on."


class UnknownRecipe(BadInput):
    message = "There is no recipe named {name}; the recipes are {known}, or give the path of a .toml file."


class BadRecipe(BadInput):
    message = "The recipe {path} cannot be used: {reason}."


class UnusableCheck(BadInput):
    message = (
        "The behavioural check {path} cannot be used: {reason}. docs/decisions/0009-behavioural-checks.md says "
        "how one is written."
    )


class DownloadFailed(ThumbsError):
    message = (
        "{url} could not be fetched: {reason}. Try again, which goes on where it stopped, or put the file at "
        "{path} yourself."
    )


class NothingToResume(BadInput):
    message = "There is no fine-tune to go on with at {path}: {reason}. Start it without --resume."


class FineTuneStopped(ThumbsError):
    message = "Stopped after step {step} of {steps}; what was learnt is kept. The same command with --resume goes on."
    exit_code = 130


class FolderTaken(BadInput):
    message = "{path} is there already and is no published model; give another folder, or remove it."


class NoBaseModel(BadInput):
    message = "The base model {name!r} was not found: {reason}. Set BASE_MODEL to a hub name or a folder."
