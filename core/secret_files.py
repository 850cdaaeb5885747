"""Reads secrets, which can be set as values or in files, such as TELEGRAM_TOKEN or TELEGRAM_TOKEN_FILE."""

from pathlib import Path
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

from core.errors import BadSetting


def secret_name(name: str, path: Path | None) -> str:
    """Return the name of the setting to read: ``name`` with _FILE if a file is set, or just ``name``."""
    return name if path is None else f"{name}_FILE"


def read_secret(name: str, path: Path | None, value: SecretStr | None) -> str | None:
    """Return the secret from the file or, if no file is set, the value. Return None if neither is set.

    Raise BadSetting if the file cannot be read or is empty.
    """
    if path is None:
        return None if value is None else value.get_secret_value()
    secret = read_secret_file(secret_name(name, path), path)
    if not secret:
        raise BadSetting(name=secret_name(name, path), reason=f"{path} is empty")
    return secret


def read_secret_file(name: str, path: Path) -> str:
    """Return a file's text without surrounding whitespace. Raise BadSetting if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise BadSetting(name=name, reason=f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BadSetting(name=name, reason=f"{path} is not text") from error


def insert_password(address: str, password: str) -> str:
    """Return a database URL with its password. Raise BadSetting if the URL has no user or already has a password."""
    try:
        parts = urlsplit(address)
    except ValueError:  # the error's message may contain part of a password
        raise BadSetting(name="DATABASE_URL", reason="it is not a database URL") from None
    user, _, host = parts.netloc.rpartition("@")
    if not user or ":" in user:
        raise BadSetting(name="DATABASE_PASSWORD_FILE", reason="it needs a DATABASE_URL with a user and no password")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()
