"""Typed settings for every process, read once at start-up.

Values in the environment override those in ``.env`` in the home folder, which override the defaults in this file.
Relative paths are also resolved against the home folder, so commands work the same in any working folder. The field
descriptions are the documentation: ``docs/settings.md`` and ``.env.example`` are generated from them.
"""

import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.errors import BadSetting, BadSettingsFile
from core.paths import (
    HOME_VARIABLE,
    STARTER,
    DatabaseUrl,
    FolderOrFile,
    FolderOrUrl,
    PathOrName,
    RecipeName,
    home_folder,
)
from core.secret_files import insert_password, read_secret, secret_name

if TYPE_CHECKING:
    from sqlalchemy import URL

_TOKEN: Final = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
# Matches the secrets that Telegram accepts for a webhook.
_WEBHOOK_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")


def _validate_http_url(value: str) -> str:
    """Return ``value`` if it is an HTTP or HTTPS URL. Raise ValueError if not."""
    try:
        address = urlsplit(value)
        usable = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        usable = False
    if not usable or any(map(str.isspace, value)):
        raise ValueError("it is not an http(s) URL")
    return value


HttpUrl = Annotated[str, AfterValidator(_validate_http_url)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(lambda name: name.strip().upper())]


def _split_commas(value: Any) -> Any:  # noqa: ANN401 -- pydantic passes whatever was given
    """Split a string at its commas. Pydantic converts the parts to numbers."""
    return tuple(filter(None, (part.strip() for part in value.split(",")))) if isinstance(value, str) else value


# A line that fits into the bot's answer to /privacy.
OperatorText = Annotated[str, Field(max_length=200)] | None
Share = Annotated[float, Field(ge=0, le=1)]
# A number that fits into a 64-bit column.
RowNumber = Annotated[int, Field(ge=-(2**63), lt=2**63)]
AdminIds = Annotated[tuple[RowNumber, ...], NoDecode, BeforeValidator(_split_commas)]


class Settings(BaseSettings):
    """All settings. In the environment, the names are in capitals. An empty value counts as not set."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _strip(cls, values: Any) -> Any:  # noqa: ANN401 -- pydantic passes whatever was given
        """Strip the whitespace around each string, such as the CR from a CRLF file. Treat a blank string as not set."""
        if not isinstance(values, dict):
            return values
        stripped = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
        return {name: value for name, value in stripped.items() if value or value == values[name]}

    data_dir: FolderOrFile = Field(
        Path("var"),
        description="Folder for all files that Thumbs writes: the database, models, logs and the demo's key.",
    )
    database_url: DatabaseUrl | None = Field(
        None, description="SQLAlchemy URL of the database. Default: SQLite in DATA_DIR."
    )
    database_password_file: FolderOrFile | None = Field(
        None, description="File with the database password, for a DATABASE_URL that has a user but no password."
    )
    encryption_key: SecretStr | None = Field(
        None, description="Fernet keys that encrypt stored texts, separated by commas, newest first."
    )
    encryption_key_file: FolderOrFile | None = Field(
        None, description="File with the keys, one on each line, newest first. Set it instead of ENCRYPTION_KEY."
    )
    retention_days: int = Field(
        365,
        ge=1,
        le=36_500,
        description="Days to keep messages and votes that can't be used for training.",
    )
    inbox_retention_days: int = Field(7, ge=1, le=36_500, description="Days to keep handled updates and sent replies.")
    operator_name: OperatorText = Field(
        None, description="Name of the person or organisation that runs the bot. /privacy shows it."
    )
    operator_contact: OperatorText = Field(
        None, description="E-mail address or other contact for questions about people's data. /privacy shows it."
    )
    messages_per_minute: int = Field(
        60,
        ge=1,
        le=1_000_000,
        description="Number of messages that one person may send at once, and per minute. The bot drops further "
        "messages and asks the person to slow down.",
    )
    taps_per_minute: int = Field(
        60,
        ge=1,
        le=1_000_000,
        description="Number of button taps, such as votes, that one person may make at once, and per minute.",
    )
    uncertain_replies: Literal["drop", "retry"] = Field(
        "drop",
        description="What the bot does with a reply that may not have arrived. With drop, it does not send the reply "
        "again, so the reply may be lost. With retry, it sends the reply again, so the reply may arrive twice.",
    )

    telegram_token: SecretStr | None = Field(None, description="The bot's token from @BotFather.")
    telegram_token_file: FolderOrFile | None = Field(
        None, description="File with the token. Set it instead of TELEGRAM_TOKEN."
    )
    telegram_api_url: HttpUrl = Field(
        "https://api.telegram.org", description="URL of the Bot API server. Change it to use a self-hosted server."
    )
    webhook_url: HttpUrl | None = Field(
        None, description="Public HTTPS URL that Telegram posts updates to. Default: long polling."
    )
    webhook_listen: str = Field("127.0.0.1", description="Address that the webhook server listens on.")
    webhook_port: int = Field(8443, ge=1, le=65535, description="Port that the webhook server listens on.")
    webhook_secret: SecretStr | None = Field(
        None,
        description="Secret that Telegram sends with each webhook request. By default, it is generated once and "
        "stored in the database.",
    )
    webhook_secret_file: FolderOrFile | None = Field(
        None, description="File with the secret. Set it instead of WEBHOOK_SECRET."
    )

    model: FolderOrFile = Field(
        STARTER,
        description="Folder of the published model that the bot serves until another one goes live.",
    )
    serving_threads: int = Field(
        0, ge=0, le=1024, description="Number of CPU threads for predictions. With 0, the inference engine chooses."
    )
    anchor: FolderOrFile = Field(
        STARTER,
        description="Folder of the published model that feedback rounds start from. It must be fine-tuned only on "
        "IMDB.",
    )
    base_model: PathOrName | None = Field(
        None,
        description="Encoder that a full run starts from: the name of a model on the Hugging Face hub, or a folder. "
        "Default: the encoder named in the recipe.",
    )
    imdb_path: PathOrName | None = Field(
        None,
        description="Labelled reviews for the worker, and for thumbs fine-tune and thumbs evaluate without --data: "
        "the aclImdb folder or tar file, Kaggle's CSV file, a parquet file, a folder with train and test files, or "
        "the name of a data set on the Hugging Face hub.",
    )

    admin_ids: AdminIds = Field((), description="Numeric Telegram ids of the admins, separated by commas.")
    broker_url: SecretStr | None = Field(
        None, description="redis:// URL of the broker for workers. Default: a folder in DATA_DIR."
    )
    broker_url_file: FolderOrFile | None = Field(
        None, description="File with the URL. Set it instead of BROKER_URL if the URL contains a password."
    )
    artifact_store: FolderOrUrl | None = Field(
        None,
        description="Place to store published models: a folder that the bot and the workers share, or any fsspec URL. "
        "Default: DATA_DIR/models.",
    )
    training_python: FolderOrFile | None = Field(
        None, description="Python interpreter with TensorFlow that runs the training. Default: the worker's own."
    )
    feedback_recipe: RecipeName = Field(
        "feedback", description="Recipe for feedback rounds: the name of a recipe, or the path of a .toml file."
    )
    full_recipe: RecipeName = Field(
        "default", description="Recipe for full runs: the name of a recipe, or the path of a .toml file."
    )
    keep_models: int = Field(
        5,
        ge=1,
        le=1_000_000,
        description="Number of newest published models to keep, in addition to the live and the previous model.",
    )
    feedback_quorum: int = Field(
        2,
        ge=1,
        le=1_000_000,
        description="Number of people who must agree on a text before it is used for training. An admin's vote is "
        "enough by itself.",
    )
    feedback_person_rows: int = Field(
        20,
        ge=1,
        le=1_000_000_000,
        description="Number of rows that one person may always contribute to a training run.",
    )
    feedback_person_share: Share = Field(
        0.1,
        description="Share of a run's rows that one person may contribute if that is more than FEEDBACK_PERSON_ROWS. "
        "The person's other rows are used only to measure models. In the gate, the share limits the weight of one "
        "author's texts.",
    )
    question_chance: Share = Field(
        0.1,
        description="Probability that the bot asks below a verdict whether the verdict was right. It asks only people "
        "who consent to training, at most once a day, until they turn the question off. 0 means never.",
    )
    retrain_after: int = Field(
        200,
        ge=0,
        le=1_000_000_000,
        description="Number of new eligible texts that automatically starts a feedback round. 0 means never.",
    )
    retrain_days: int = Field(
        7,
        ge=0,
        le=36_500,
        description="Days after which a feedback round starts if there are any new eligible texts. 0 means never.",
    )
    auto_promote: bool = Field(
        True, description="Whether models that pass the gate go live automatically. If not, an admin decides."
    )
    trials: Literal["automatic", "admin"] = Field(
        "admin",
        description="Who may start a trial of a model that is probably better, but not proven so: the gate (automatic) "
        "or only an admin. New votes on the model's answers confirm it, or bring back the model that it replaced.",
    )
    gate_wrong_promotions_per_year: Annotated[float, Field(gt=0, le=1)] = Field(
        0.05,
        description="Expected number of wrong promotions per year, regardless of the number of runs. A promotion is "
        "wrong if a model that is no better goes live for good.",
    )
    gate_imdb_loss: Share = Field(
        0.003,
        description="Largest allowed loss of accuracy on the IMDB gate reviews, at the lower end of the confidence "
        "interval.",
    )
    gate_confidence: Share = Field(
        0.95,
        description="One-sided confidence of the gate's tests that a model is no worse on feedback and no worse on "
        "IMDB.",
    )
    gate_negative_flips: Share = Field(
        0.02,
        description="Largest allowed share of negative flips: IMDB gate reviews that the live model classifies "
        "correctly and the new model does not.",
    )
    gate_behaviour_loss: Share = Field(
        0.02,
        description="Largest allowed drop in passed behavioural cases compared with the live model, as a share of the "
        "cases that aren't known to be hard.",
    )

    playground_host: str = Field("127.0.0.1", description="Address on which the demo's playground listens.")
    playground_port: int = Field(
        8081, ge=0, le=65535, description="Port of the demo's playground. With 0, a free port is chosen."
    )
    log_level: LogLevel = Field("INFO", description="Log level: DEBUG, INFO, WARNING or ERROR.")
    metrics_listen: str = Field("127.0.0.1", description="Address on which metrics and health are served.")
    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port of /metrics, /health and /ready for the bot or worker. With 0, a free port is chosen. "
        "By default, these pages are not served.",
    )
    log_format: Literal["text", "json"] = Field(
        "text",
        description="Log format: text, or json for one JSON object per event, including the update's id.",
    )

    @cached_property
    def database_address(self) -> "str | URL":
        """``database_url`` with its password, or the URL of the SQLite file in ``data_dir``.

        The SQLite address is a ``URL`` because characters such as ``?`` in the path would have a special meaning in a
        string.

        Raise BadSetting if the password file cannot be read, or if the URL has no user or already has a password.
        """
        password = read_secret("DATABASE_PASSWORD", self.database_password_file, None)
        if password is None:
            return self.database_url or _sqlite_address(self.data_dir / "thumbs.db")
        return insert_password(self.database_url or "", password)

    @cached_property
    def broker_address(self) -> str | None:
        """``broker_url`` or the URL in its file, or None if neither is set.

        Raise BadSetting if the file is unusable.
        """
        return read_secret("BROKER_URL", self.broker_url_file, self.broker_url)

    @cached_property
    def webhook_secret_text(self) -> str | None:
        """``webhook_secret`` or the secret in its file, or None if neither is set.

        Raise BadSetting if the file cannot be read, or if Telegram does not accept the secret.
        """
        secret = read_secret("WEBHOOK_SECRET", self.webhook_secret_file, self.webhook_secret)
        if secret is not None and not _WEBHOOK_SECRET.fullmatch(secret):
            name = secret_name("WEBHOOK_SECRET", self.webhook_secret_file)
            raise BadSetting(name=name, reason="Telegram accepts 1 to 256 of the characters A-Z, a-z, 0-9, _ and -")
        return secret

    @cached_property
    def store_address(self) -> str:
        """``artifact_store``, or the ``models`` folder in ``data_dir``."""
        return self.artifact_store or str(self.data_dir / "models")

    @cached_property
    def token(self) -> str:
        """The bot's token. Raise BadSetting if it is missing or malformed."""
        name = secret_name("TELEGRAM_TOKEN", self.telegram_token_file)
        token = read_secret("TELEGRAM_TOKEN", self.telegram_token_file, self.telegram_token)
        if token is None:
            raise BadSetting(name=name, reason="it is not set; get a token from @BotFather")
        if not _TOKEN.fullmatch(token):
            raise BadSetting(name=name, reason="it does not look like a token from @BotFather")
        return token


def _sqlite_address(path: Path) -> "URL":
    from sqlalchemy import URL  # noqa: PLC0415 -- most commands use no database

    return URL.create("sqlite", database=str(path))


def read_settings() -> Settings:
    """Read the settings. Call this once, when the process starts.

    Raise BadSetting for a missing home folder or the first invalid setting, or BadSettingsFile if ``.env`` cannot be
    read.
    """
    if not home_folder().is_dir():
        # If the folder's name were misspelt, a new database would be created in a new folder, as if all data had been
        # lost.
        raise BadSetting(name=HOME_VARIABLE, reason=f"there is no folder {home_folder()}")
    env_file = home_folder() / ".env"
    _check_env_file(env_file)
    try:
        return Settings(_env_file=env_file)
    except ValidationError as error:
        first = error.errors()[0]
        reason = first["msg"].removeprefix("Value error, ")
        raise BadSetting(name=str(first["loc"][0]).upper(), reason=reason[:1].lower() + reason[1:]) from error


def _check_env_file(path: Path) -> None:
    """Raise BadSettingsFile if the file exists but isn't readable UTF-8 text."""
    try:
        if path.is_dir():  # Docker creates a folder if a file to mount is missing
            raise BadSettingsFile(path=path, reason="it is a folder")
        readable = not path.is_file() or "\0" not in path.read_text(encoding="utf-8")
        path.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadSettingsFile(path=path, reason=f"{error.strerror}. Check its permissions") from error
    except UnicodeDecodeError:
        readable = False
    if not readable:  # UTF-16 without a byte order mark is valid UTF-8 with null characters
        raise BadSettingsFile(path=path, reason="it is not UTF-8 text. Save the file as UTF-8")
