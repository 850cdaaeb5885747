"""Encryption keys, encryption and the keyed hash."""

import errno
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from core.errors import BadSetting, UnwritableFile
from core.settings import Settings
from storage.db.encryption import Cipher, make_key_file, new_hash_key, read_keys
from storage.errors import KeyExists, KeyMissing, KeyNotSet, KeyWrong

OLD = Fernet.generate_key().decode()
NEW = Fernet.generate_key().decode()
ENCRYPTED_HASH_KEY = new_hash_key([OLD])
CIPHER = Cipher([OLD], ENCRYPTED_HASH_KEY)

# Includes lone surrogates, which JSON can contain.
any_text = st.text(st.characters(codec=None))


def settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)


@given(any_text)
def test_encrypted_text_is_decrypted_unchanged(text: str) -> None:
    assert CIPHER.decrypt(CIPHER.encrypt(text)) == text


@given(any_text, any_text)
def test_fingerprints_are_equal_only_for_equal_texts(one: str, other: str) -> None:
    assert (CIPHER.fingerprint(one) == CIPHER.fingerprint(other)) == (one == other)


def test_encrypting_a_text_twice_gives_different_tokens() -> None:
    assert CIPHER.encrypt("I liked it") != CIPHER.encrypt("I liked it")


def test_a_fingerprint_has_32_bytes_and_a_separate_key() -> None:
    other = Cipher([OLD], new_hash_key([OLD]))
    assert len(CIPHER.fingerprint("I liked it")) == 32
    assert CIPHER.fingerprint("I liked it") != other.fingerprint("I liked it")


def test_a_new_key_before_the_old_one_reads_old_texts_and_keeps_fingerprints() -> None:
    both = Cipher([NEW, OLD], ENCRYPTED_HASH_KEY)
    assert both.decrypt(CIPHER.encrypt("I liked it")) == "I liked it"
    assert both.fingerprint("I liked it") == CIPHER.fingerprint("I liked it")
    with pytest.raises(KeyWrong):
        CIPHER.decrypt(both.encrypt("I liked it"))


def test_rotated_texts_no_longer_need_the_old_key() -> None:
    both = Cipher([NEW, OLD], ENCRYPTED_HASH_KEY)
    only_new = Cipher([NEW], both.rotate(ENCRYPTED_HASH_KEY))
    assert only_new.decrypt(both.rotate(CIPHER.encrypt("I liked it"))) == "I liked it"
    assert only_new.fingerprint("I liked it") == CIPHER.fingerprint("I liked it")


def test_a_wrong_key_raises_at_once() -> None:
    with pytest.raises(KeyWrong, match="Restore the key"):
        Cipher([NEW], ENCRYPTED_HASH_KEY)
    with pytest.raises(KeyWrong):
        CIPHER.rotate(Fernet(NEW).encrypt(b"I liked it"))


def test_keys_are_read_from_the_environment_newest_first() -> None:
    assert read_keys(settings(encryption_key=SecretStr(f"{NEW}, {OLD}"))) == (NEW, OLD)


def test_keys_are_read_from_a_file_newest_first(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"{NEW}\n{OLD}\n")
    assert read_keys(settings(encryption_key_file=path)) == (NEW, OLD)


def test_a_missing_key_is_reported_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match="ENCRYPTION_KEY_FILE"):
        read_keys(settings())
    (tmp_path / "key").touch()
    with pytest.raises(KeyMissing):
        read_keys(settings(encryption_key_file=tmp_path / "key"))


def test_an_unset_key_in_the_data_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "encryption.key"
    make_key_file(path)
    with pytest.raises(KeyNotSet, match=f"set ENCRYPTION_KEY_FILE to {path}"):
        read_keys(settings(data_dir=tmp_path))
    assert len(read_keys(settings(data_dir=tmp_path, encryption_key_file=path))) == 1


@pytest.mark.parametrize("content", [b"hush", b"\xff\xfe not a key"])
def test_an_invalid_key_is_not_repeated_in_the_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(BadSetting, match="ENCRYPTION_KEY_FILE") as caught:
        read_keys(settings(encryption_key_file=path))
    assert "hush" not in str(caught.value)


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="absent"):
        read_keys(settings(encryption_key_file=tmp_path / "absent"))


def test_a_new_key_file_is_private_and_works(tmp_path: Path) -> None:
    path = tmp_path / "made" / "key"
    make_key_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    (key,) = read_keys(settings(encryption_key_file=path))
    assert Fernet(key)


def test_a_failed_write_of_a_key_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UnwritableFile, match="No space left"):
        make_key_file(tmp_path / "key")
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnwritableFile):
        make_key_file(tmp_path / "file" / "key")


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(OLD)
    with pytest.raises(KeyExists, match="not overwritten"):
        make_key_file(path)
    assert path.read_text() == OLD
