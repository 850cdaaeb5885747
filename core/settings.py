"""Every setting of every process, typed and read once.

A setting comes from the environment, then from ``.env`` in the working folder, then from its default here.
The field's description is the documentation: ``docs/settings.md`` is generated from it.
"""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.errors import BadSetting


def _web_address(value: str) -> str:
    """``value``; raises ValueError unless it names a server that HTTP reaches."""
    try:
        address = urlsplit(value)
        usable = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        usable = False
    if not usable or any(map(str.isspace, value)):
        raise ValueError("it is no http or https address")
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(lambda name: name.strip().upper())]


def _numbers(value: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever was given
    """The parts between commas of a text; pydantic makes numbers of them."""
    return tuple(filter(None, (part.strip() for part in value.split(",")))) if isinstance(value, str) else value


def _absolute_if_there(value: str) -> str:
    """Return the absolute path of a file or folder that exists, else the name as it is."""
    return str(Path(value).absolute()) if Path(value).exists() else value


def _absolute_if_toml(value: str) -> str:
    """Return the absolute path of a .toml file, else the recipe's name as it is."""
    return str(Path(value).absolute()) if value.endswith(".toml") else value


# A path is made absolute when the settings are read, because processes that get it may run in another folder.
PathOrName = Annotated[str, AfterValidator(_absolute_if_there)]
RecipeName = Annotated[str, AfterValidator(_absolute_if_toml)]
Share = Annotated[float, Field(ge=0, le=1)]
AdminIds = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_numbers)]


class Settings(BaseSettings):
    """All settings; names in the environment are the field names in capitals, and an empty one is not set."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    data_dir: Path = Field(Path("var"), description="Folder for everything that is written: database, key, counters.")
    database_url: str | None = Field(
        None, description="SQLAlchemy address of the database; SQLite in DATA_DIR when it is not set."
    )
    database_password_file: Path | None = Field(
        None, description="File that holds the password which DATABASE_URL, naming a user, leaves out."
    )
    encryption_key: SecretStr | None = Field(
        None, description="Fernet keys that texts are encrypted with, newest first, separated by commas."
    )
    encryption_key_file: Path | None = Field(None, description="File that holds the keys instead of ENCRYPTION_KEY.")
    retention_days: int = Field(
        365, ge=1, le=36_500, description="Days that messages and judgements without consent for training are kept."
    )
    inbox_retention_days: int = Field(
        7, ge=1, le=36_500, description="Days that handled updates and sent replies are kept."
    )

    telegram_token: SecretStr | None = Field(None, description="The bot's token from @BotFather.")
    telegram_token_file: Path | None = Field(None, description="File that holds the token instead of TELEGRAM_TOKEN.")
    telegram_api_url: WebAddress = Field(
        "https://api.telegram.org", description="Address of the Bot API server, for a self-hosted one."
    )
    webhook_url: WebAddress | None = Field(
        None, description="Public HTTPS address that Telegram posts updates to; long polling when it is not set."
    )
    webhook_listen: str = Field("127.0.0.1", description="Address that the webhook server listens on.")
    webhook_port: int = Field(8443, ge=1, le=65535, description="Port that the webhook server listens on.")
    webhook_secret: SecretStr | None = Field(
        None, description="Secret that Telegram repeats in each webhook request; made at start when it is not set."
    )

    model: Path = Field(
        Path("models/starter"),
        description="Folder of the published model that the bot serves until another is made live.",
    )
    serving_threads: int = Field(0, ge=0, description="Processor threads for predictions; 0 lets the engine choose.")
    anchor: Path = Field(
        Path("models/starter"),
        description="Folder of the published model that feedback rounds start from: one fine-tuned on IMDB alone.",
    )
    base_model: PathOrName | None = Field(
        None,
        description="Encoder that a full fine-tune starts from: a hub name or a folder; "
        "the one that the recipe names when it is not set.",
    )
    imdb_path: PathOrName | None = Field(
        None,
        description="Labelled reviews that thumbs fine-tune and thumbs evaluate read when --data is not given: "
        "the aclImdb folder or tar file, Kaggle's CSV, parquet, a folder of train and test files, or the name of a "
        "data set on the Hugging Face hub.",
    )

    admin_ids: AdminIds = Field((), description="Telegram's numeric ids of the admins, separated by commas.")
    broker_url: SecretStr | None = Field(
        None, description="redis:// address of the workers' broker; a folder in DATA_DIR when it is not set."
    )
    artifact_store: str | None = Field(
        None,
        description="Where published models lie: a folder that bot and workers share, or any fsspec address; "
        "DATA_DIR/models when it is not set.",
    )
    training_python: Path | None = Field(
        None, description="Python interpreter with TensorFlow that a worker fine-tunes in; its own when it is not set."
    )
    feedback_recipe: RecipeName = Field(
        "feedback", description="Recipe of a feedback round: a recipe's name, or the path of its .toml file."
    )
    full_recipe: RecipeName = Field(
        "default", description="Recipe of a full run: a recipe's name, or the path of its .toml file."
    )
    keep_models: int = Field(
        5, ge=1, description="Published models kept beside the live one and the one before it, newest first."
    )
    feedback_quorum: int = Field(
        2, ge=1, description="People who have to agree on a text before it trains; an admin's word is enough alone."
    )
    feedback_person_rows: int = Field(
        20, ge=1, description="Rows that one person may always supply to a training run, whatever its size."
    )
    feedback_person_share: Share = Field(
        0.1, description="Share of a run's rows that one person may supply beyond that; what exceeds it waits."
    )
    feedback_holdout: Share = Field(
        0.25, description="Share of the usable judgements that never train, and measure instead."
    )
    retrain_after: int = Field(
        200, ge=0, description="New usable judgements that start a feedback round by themselves; 0 for never."
    )
    retrain_days: int = Field(
        7, ge=0, description="Days after which new usable judgements, however few, start a round; 0 for never."
    )
    auto_promote: bool = Field(
        True, description="Whether a model that the gate finds better goes live by itself; else an admin's tap decides."
    )
    gate_imdb_loss: Share = Field(
        0.003, description="Share of IMDB gate reviews that a new model may lose, at the lower end of the interval."
    )
    gate_confidence: Share = Field(
        0.95, description="Confidence that the gate asks for, one-sided, of both better and not worse."
    )
    gate_negative_flips: Share = Field(
        0.02, description="Share of IMDB gate reviews that the live model gets right and the new one may get wrong."
    )
    gate_behaviour_loss: Share = Field(
        0.02, description="Share of the behavioural cases, those known as hard aside, that a new model may lose."
    )

    playground_host: str = Field("127.0.0.1", description="Address that the demo's playground listens on.")
    playground_port: int = Field(
        8081, ge=0, le=65535, description="Port of the demo's playground; 0 takes any free one."
    )
    log_level: LogLevel = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @cached_property
    def database_address(self) -> str:
        """``database_url`` with its password, or the SQLite file under ``data_dir``.

        Raises BadSetting when the password's file cannot be read, or the address has no place for it.
        """
        if self.database_password_file is None:
            return self.database_url or f"sqlite:///{self.data_dir / 'thumbs.db'}"
        password = _secret_file("DATABASE_PASSWORD_FILE", self.database_password_file)
        return _with_password(self.database_url or "", password)

    @cached_property
    def store_address(self) -> str:
        """``artifact_store``, or the folder ``models`` under ``data_dir``."""
        return self.artifact_store or str(self.data_dir / "models")

    @cached_property
    def token(self) -> str:
        """The bot's token; raises BadSetting when there is none."""
        if self.telegram_token_file is not None:
            return _secret_file("TELEGRAM_TOKEN_FILE", self.telegram_token_file)
        if self.telegram_token is None:
            raise BadSetting(name="TELEGRAM_TOKEN", reason="it is not set; @BotFather gives one")
        return self.telegram_token.get_secret_value()


def _with_password(address: str, password: str) -> str:
    parts = urlsplit(address)
    user, _, host = parts.netloc.rpartition("@")
    if not user or ":" in user:
        raise BadSetting(
            name="DATABASE_PASSWORD_FILE", reason="it goes with a DATABASE_URL that has a user and no password"
        )
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()


def _secret_file(name: str, path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadSetting(name=name, reason=f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BadSetting(name=name, reason=f"{path} is not text") from error
    if not secret:
        raise BadSetting(name=name, reason=f"{path} is empty")
    return secret


def read_settings() -> Settings:
    """Read the settings once, at the start of a process; raises BadSetting with the first thing that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        reason = first["msg"].removeprefix("Value error, ")
        raise BadSetting(name=str(first["loc"][0]).upper(), reason=reason[:1].lower() + reason[1:]) from error
