"""Encryption at rest and the keyed hash that equality goes by.

The keys that texts are encrypted with live outside the database. The hash's own key is random and lives inside,
encrypted with them: it survives a change of keys, and opening it shows whether the keys at hand are the right ones.
"""

import hmac
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from core.errors import BadSetting, UnwritableFile
from core.settings import Settings
from storage.errors import KeyExists, KeyMissing, KeyWrong

HASH_KEY_BYTES = 32


class Cipher:
    """Encrypts with the newest key, decrypts with any, and hashes with a key of its own."""

    def __init__(self, keys: Sequence[str], sealed_hash_key: bytes) -> None:
        self._fernet = _fernet(keys)
        self._hash_key = _open(self._fernet, sealed_hash_key)

    def encrypt(self, text: str) -> bytes:
        """Make a Fernet token of ``text``, different at every call."""
        return self._fernet.encrypt(_encoded(text))

    def decrypt(self, data: bytes) -> str:
        """Read the text in a token that ``encrypt`` made; raises KeyWrong when no key opens it."""
        return _open(self._fernet, data).decode("utf-8", "surrogatepass")

    def rotate(self, data: bytes) -> bytes:
        """Encrypt the content of ``data`` again, with the newest key; raises KeyWrong when no key opens it."""
        try:
            return self._fernet.rotate(data)
        except InvalidToken as error:
            raise KeyWrong from error

    def fingerprint(self, text: str) -> bytes:
        """HMAC-SHA256 of ``text``, 32 bytes: equal for equal texts, also after the encryption keys change."""
        return hmac.digest(self._hash_key, _encoded(text), "sha256")


def new_hash_key(keys: Sequence[str]) -> bytes:
    """Make a random key for fingerprints, encrypted with the newest of ``keys``."""
    return _fernet(keys).encrypt(os.urandom(HASH_KEY_BYTES))


def read_keys(settings: Settings) -> tuple[str, ...]:
    """Read the encryption keys, newest first, from ENCRYPTION_KEY_FILE or else ENCRYPTION_KEY.

    Keys stand on lines of their own or between commas. Raises KeyMissing when there is none, BadSetting when the
    file cannot be read or a key is not a Fernet key.
    """
    name, written = "ENCRYPTION_KEY", ""
    if settings.encryption_key_file is not None:
        name, written = "ENCRYPTION_KEY_FILE", _read(settings.encryption_key_file)
    elif settings.encryption_key is not None:
        written = settings.encryption_key.get_secret_value()
    keys = tuple(written.replace(",", " ").split())
    if not keys:
        raise KeyMissing
    for key in keys:
        try:
            Fernet(key)
        except ValueError as error:
            raise BadSetting(name=name, reason="it holds something that is not a Fernet key") from error
    return keys


def make_key_file(path: Path) -> None:
    """Write a new key to ``path``, whole or not at all, readable by its owner only.

    Raises KeyExists when something is there already, and UnwritableFile.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, path)  # unlike a rename, it replaces nothing
        except FileExistsError as error:
            raise KeyExists(path=path) from error
    except OSError as error:
        raise UnwritableFile(path=path, reason=error.strerror) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise BadSetting(name="ENCRYPTION_KEY_FILE", reason=f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BadSetting(name="ENCRYPTION_KEY_FILE", reason=f"{path} does not hold a Fernet key") from error


def _fernet(keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _open(fernet: MultiFernet, data: bytes) -> bytes:
    try:
        return fernet.decrypt(data)
    except InvalidToken as error:
        raise KeyWrong from error


def _encoded(text: str) -> bytes:
    # JSON can carry half of a surrogate pair, and a strange text must not stop an update from being kept.
    return text.encode("utf-8", "surrogatepass")
