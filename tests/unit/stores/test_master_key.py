"""The master key comes from where the documentation says, in that order, or not at all."""

from __future__ import annotations

import base64
import os
import stat
import threading
from pathlib import Path

import pytest

from keyvault_jwt import base64url
from keyvault_jwt.errors import KeyvaultJWTError, MasterKeyError
from keyvault_jwt.jwk import Secret
from keyvault_jwt.settings import CREDENTIAL_NAME, Settings
from keyvault_jwt.stores.filesystem import SystemFilesystem
from keyvault_jwt.stores.master_key import given_master_key, key_file, make_key_file


@pytest.fixture(autouse=True)
def _bare(bare_environment: Path) -> None:
    """Nothing is set."""


@pytest.fixture
def key() -> bytes:
    """A fresh key."""
    return os.urandom(32)


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    """Write a file of that mode."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_nothing_given() -> None:
    """Without variables the environment gives no key."""
    assert given_master_key(Settings()) is None


def test_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The variable goes before the file, the file before the systemd credential."""
    keys = [os.urandom(32) for _ in range(3)]
    texts = [base64url.encode(each) for each in keys]
    credential = write(tmp_path / "credentials" / CREDENTIAL_NAME, texts[2], 0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credential.parent))
    found = [given_master_key(Settings())]
    monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY_FILE", str(write(tmp_path / "key", texts[1] + "\n")))
    found.append(given_master_key(Settings()))
    monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY", texts[0])
    found.append(given_master_key(Settings()))
    assert [each and each.secret for each in found] == [Secret(each) for each in reversed(keys)]
    assert [each and each.origin for each in found] == [
        str(credential),
        str(tmp_path / "key"),
        "KEYVAULT_JWT_MASTER_KEY",
    ]


def test_unit_without_our_credential(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A systemd unit that has other credentials gives no key."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert given_master_key(Settings()) is None


def test_credential_under_an_access_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: bytes) -> None:
    """A credential whose access list shows as group bits is taken; one that all may read is not."""
    credential = write(tmp_path / CREDENTIAL_NAME, base64url.encode(key), 0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    found = given_master_key(Settings())
    assert found is not None
    assert found.secret == Secret(key)
    credential.chmod(0o444)
    with pytest.raises(MasterKeyError):
        given_master_key(Settings())


@pytest.mark.parametrize("spelling", ["{}", "{}=", "{}\n", " {}=\r\n"])
def test_spellings(monkeypatch: pytest.MonkeyPatch, key: bytes, spelling: str) -> None:
    """Padding and the line end that tools add are no part of a key."""
    monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY", spelling.format(base64url.encode(key)))
    found = given_master_key(Settings())
    assert found is not None
    assert found.secret == Secret(key)


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_key_of_another_length(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    """A key that is not 32 bytes is refused, and told how to make one."""
    monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY", base64url.encode(bytes(length)) or "=")
    with pytest.raises(MasterKeyError, match="32 bytes") as caught:
        given_master_key(Settings())
    assert "make one with" in caught.value.fix


@pytest.mark.parametrize("text", ["canary-" * 7, "canary/+" + "A" * 35, "canaré"])
def test_unusable_key_is_not_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    """What was meant as a key shows in no message, and no lower source is used in its place."""
    monkeypatch.setenv(
        "KEYVAULT_JWT_MASTER_KEY_FILE", str(write(tmp_path / "key", base64url.encode(bytes(32))))
    )
    monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY", text)
    with pytest.raises(MasterKeyError) as caught:
        given_master_key(Settings())
    assert "canar" not in str(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__context__)


def test_recipe_makes_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that the error's recipe prints is taken."""
    printed = base64.urlsafe_b64encode(os.urandom(32)).decode()
    monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY", printed)
    assert given_master_key(Settings()) is not None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_key_file_that_others_may_read(tmp_path: Path, key: bytes, mode: int) -> None:
    """A key file open to the group or to all is refused, with its mode and the command that mends it."""
    path = write(tmp_path / "key", base64url.encode(key), mode)
    with pytest.raises(MasterKeyError, match=f"chmod 600 {path}") as caught:
        key_file(path)
    assert f"{mode:04o}" in caught.value.why


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_key_file_of_its_owner(tmp_path: Path, key: bytes, mode: int) -> None:
    """A key file that its owner alone may read is taken."""
    found = key_file(write(tmp_path / "key", base64url.encode(key), mode))
    assert found is not None
    assert found.secret == Secret(key)


def test_missing_key_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A key file that is named and not there is an error, not a reason to look elsewhere."""
    assert key_file(tmp_path / "none") is None
    monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(MasterKeyError, match="does not exist"):
        given_master_key(Settings())


def test_directory_as_key_file(tmp_path: Path) -> None:
    """A directory named as the key file is told as what can't be read."""
    with pytest.raises(MasterKeyError, match="Is a directory"):
        key_file(tmp_path)


def test_found_key_is_not_shown(key: bytes) -> None:
    """A found key's repr says where it is from and not what it is."""
    from keyvault_jwt.stores.master_key import MasterKey

    shown = repr(MasterKey(Secret(key), "KEYVAULT_JWT_MASTER_KEY"))
    assert "KEYVAULT_JWT_MASTER_KEY" in shown
    assert base64url.encode(key) not in shown
    assert repr(key) not in shown


def test_made_key_file(tmp_path: Path) -> None:
    """A key file is made once, for its owner alone, in a directory for its owner alone."""
    path = tmp_path / "state" / "master-keys" / "a.key"
    assert make_key_file(path, SystemFilesystem())
    made = key_file(path)
    assert not make_key_file(path, SystemFilesystem())
    assert made is not None
    assert key_file(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert sorted(each.name for each in path.parent.iterdir()) == [".lock", "a.key"]


def test_made_by_many_at_once(tmp_path: Path) -> None:
    """Of many that make the same key file at once one does, and all read the same key."""
    path = tmp_path / "a.key"
    start = threading.Barrier(8)
    made: list[bool] = []
    keys: set[str] = set()

    def make() -> None:
        start.wait()
        made.append(make_key_file(path, SystemFilesystem()))
        keys.add(path.read_text())

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False] * 7 + [True]
    assert len(keys) == 1


@pytest.mark.parametrize("at", ["create", "write", "flush", "link"])
def test_half_made_key_file(tmp_path: Path, at: str) -> None:
    """A failure while a key file is made leaves none, so that the next attempt makes a whole one."""

    class Failing(SystemFilesystem):
        def __getattribute__(self, name: str) -> object:
            if name == at:
                raise OSError(28, "No space left on device")
            return super().__getattribute__(name)

    path = tmp_path / "a.key"
    with pytest.raises(KeyvaultJWTError):
        make_key_file(path, Failing())
    assert not path.exists()
    assert make_key_file(path, SystemFilesystem())
