"""Errors in reading reviews and in fine-tuning, evaluating and loading models.

For the whole tree, see ``core.errors``.
"""

from core.errors import BadInput, ThumbsError


class UnreadableTable(BadInput):
    message = "{path} cannot be read as {format}: {reason}. Export the file again as a plain table."


class EmptyTable(BadInput):
    message = "{path} has no rows. Use a file with a header and at least one review."


class NotTheImdbData(BadInput):
    message = (
        "{path} has no reviews in train/pos, train/neg, test/pos or test/neg. Use the aclImdb folder or tar file, a "
        "CSV file or a parquet file."
    )


class NoHeader(BadInput):
    message = (
        "{path} seems to have no header line: its first line is {columns}. Add a first line with the column names, "
        "such as review,sentiment."
    )


class NotTexts(BadInput):
    message = (
        "{path}, data row {row}: the {column} column contains a value of type {kind} instead of text. Use a column "
        "that contains plain text."
    )


class MissingColumn(BadInput):
    message = "{path} has no column named {column}; its columns are {columns}. Rename a column, or name the right one."


class TooFewReviews(BadInput):
    message = (
        "{path} has only {rows} reviews for fine-tuning, and {missing}. The training and dev sets must each contain "
        "reviews of both labels."
    )


class TooFewCorrections(BadInput):
    message = (
        "{path} has no corrections to train on: all texts have contradictory labels or are held out for evaluation."
    )


class UnusableAnchor(BadInput):
    message = (
        "A feedback round cannot start from {path}: {reason}. Use --base or ANCHOR to name a published model that was "
        "fine-tuned on reviews."
    )


class UnknownReviews(BadInput):
    message = (
        "No reviews were found for {name}. It is not a file or folder on this machine, and not a usable data set on "
        "the Hugging Face hub: {reason}. Put a CSV file, a parquet file or the aclImdb data on this machine, and pass "
        "its path with --data or IMDB_PATH."
    )


class SeveralDataSets(BadInput):
    message = "{name} contains several data sets, in {folders}. Name one of them, for example {example}."


class MissingSplit(BadInput):
    message = "The reviews have no {split} split; their splits are {splits}."


class NoDoubtfulLabels(BadInput):
    message = (
        "{path} does not list any of the reviews being evaluated, such as {name} in {source}. Use the list that was "
        "made for these reviews, or no list."
    )


class UnknownLabel(BadInput):
    message = "{path}, data row {row}: {label!r} is not a label. Use positive or negative, or 1 or 0."


class UnusableCheckpoint(BadInput):
    message = "The checkpoint at {path} cannot be used: {reason}."


class UnusableArtifact(ThumbsError):
    message = "The model at {path} cannot be used: {reason}. Publish it again, or use a different model."


class UnknownRecipe(BadInput):
    message = "There is no recipe named {name}. Use one of {known}, or the path of a .toml file."


class BadRecipe(BadInput):
    message = "The recipe {path} cannot be used: {reason}."


class UnusableCheck(BadInput):
    message = (
        "The behavioural check {path} cannot be used: {reason}. docs/decisions/0009-behavioural-checks.md describes "
        "the format."
    )


class DownloadFailed(ThumbsError):
    message = (
        "{url} could not be downloaded: {reason}. Run the command again to continue the download, or put the file at "
        "{path} yourself."
    )


class NothingToResume(BadInput):
    message = "There is no fine-tune to resume at {path}: {reason}. Run the command without --resume."


class FineTuneStopped(ThumbsError):
    message = (
        "Stopped after step {step} of {steps}; a checkpoint was saved. Run the same command with --resume to continue."
    )
    exit_code = 130


class FineTuneDiverged(BadInput):
    message = (
        "The fine-tune diverged by step {step}: {reason}. Nothing was published. Use a lower learning_rate or "
        "clip_norm in the recipe."
    )


class FolderTaken(BadInput):
    message = "{path} already exists and is not a published model. Use a different folder, or remove it."


class NoBaseModel(BadInput):
    message = "The base model {name!r} was not found: {reason}. Set BASE_MODEL to a hub name or a folder."


class UnusableReviewsFile(BadInput):
    message = "{path}, line {line}: this is not a review for a teacher. Write the file again with `thumbs data export`."


class UnusableSoftLabels(BadInput):
    message = "{path} cannot be used as soft labels: {reason}. Make the file again, as docs/training.md describes."
