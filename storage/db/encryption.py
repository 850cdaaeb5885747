"""Encryption at rest, and the keyed hash that is used to find equal texts.

The encryption keys are kept outside the database. The hash key is random and is stored in the database, encrypted with
these keys, so fingerprints stay the same when the keys change. Decrypting the hash key verifies the encryption keys.
"""

import hmac
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from core.errors import BadSetting, UnwritableFile
from core.secret_files import read_secret_file
from core.settings import Settings
from storage.errors import KeyExists, KeyMissing, KeyNotSet, KeyWrong

HASH_KEY_BYTES = 32
DEMO_KEY_FILE = "encryption.key"
"""Name of the key file that the demo creates in DATA_DIR."""


class Cipher:
    """Encrypts with the newest key, decrypts with any of the keys, and hashes with a separate key."""

    def __init__(self, keys: Sequence[str], encrypted_hash_key: bytes) -> None:
        self._fernet = _fernet(keys)
        self._newest = Fernet(keys[0])
        self._hash_key = _decrypt(self._fernet, encrypted_hash_key)

    def encrypt(self, text: str) -> bytes:
        """Return a Fernet token for ``text``. Each call returns a different token."""
        return self._fernet.encrypt(_encoded(text))

    def decrypt(self, data: bytes) -> str:
        """Return the text in a token made by ``encrypt``, or raise KeyWrong if no key decrypts the token."""
        return _decrypt(self._fernet, data).decode("utf-8", "surrogatepass")

    def rotate(self, data: bytes) -> bytes:
        """Re-encrypt ``data`` with the newest key, or raise KeyWrong if no key decrypts it."""
        try:
            return self._fernet.rotate(data)
        except InvalidToken as error:
            raise KeyWrong from error

    def needs_older_key(self, data: bytes) -> bool:
        """Return whether only an older key decrypts ``data``, or raise KeyWrong if no key decrypts it."""
        try:
            self._newest.decrypt(data)
        except InvalidToken:
            _decrypt(self._fernet, data)
            return True
        return False

    def fingerprint(self, text: str) -> bytes:
        """Return the 32-byte HMAC-SHA256 of ``text``, which stays the same when the encryption keys change."""
        return hmac.digest(self._hash_key, _encoded(text), "sha256")


def new_hash_key(keys: Sequence[str]) -> bytes:
    """Return a new random key for fingerprints, encrypted with the newest key in ``keys``."""
    return _fernet(keys).encrypt(os.urandom(HASH_KEY_BYTES))


def read_keys(settings: Settings) -> tuple[str, ...]:
    """Return the encryption keys from ENCRYPTION_KEY_FILE or, if it is not set, from ENCRYPTION_KEY, newest first.

    Keys are separated by whitespace or commas. Raise KeyMissing if there are no keys (KeyNotSet if DATA_DIR contains
    the demo's key), and BadSetting if the file cannot be read or a key is not a Fernet key.
    """
    name, value = "ENCRYPTION_KEY", ""
    if settings.encryption_key_file is not None:
        name = "ENCRYPTION_KEY_FILE"
        value = read_secret_file(name, settings.encryption_key_file)
    elif settings.encryption_key is not None:
        value = settings.encryption_key.get_secret_value()
    elif (demo_key := settings.data_dir / DEMO_KEY_FILE).is_file():
        raise KeyNotSet(path=demo_key)
    keys = tuple(value.replace(",", " ").split())
    if not keys:
        raise KeyMissing
    for key in keys:
        try:
            Fernet(key)
        except ValueError as error:
            raise BadSetting(name=name, reason="it contains something that is not a Fernet key") from error
    return keys


def make_key_file(path: Path) -> None:
    """Write a new key to ``path`` atomically, readable only by its owner.

    Raise KeyExists if the file exists, and UnwritableFile if it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, path)  # unlike a rename, a link never replaces a file
        except FileExistsError as error:
            raise KeyExists(path=path) from error
    except OSError as error:
        raise UnwritableFile(path=path, reason=error.strerror) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _fernet(keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _decrypt(fernet: MultiFernet, data: bytes) -> bytes:
    try:
        return fernet.decrypt(data)
    except InvalidToken as error:
        raise KeyWrong from error


def _encoded(text: str) -> bytes:
    # JSON can contain half of a surrogate pair, which must not prevent an update from being stored.
    return text.encode("utf-8", "surrogatepass")
