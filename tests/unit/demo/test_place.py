"""Where a demonstration plays: nothing of it stays that need not, and each role knows what it must."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from keyvault_jwt.demo.extra import PACKAGES, require_extra
from keyvault_jwt.demo.place import place
from keyvault_jwt.errors import MissingExtra, UsageError
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.store_url import open_store


@pytest.fixture(autouse=True)
def masters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment with a master key of the user's own, and a state directory."""
    monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY", "A" * 43)
    monkeypatch.setenv("KEYVAULT_JWT_STORE", "file:./elsewhere")
    monkeypatch.setenv("KEYVAULT_JWT_STATE", str(tmp_path / "state"))


def test_a_temporary_store_is_gone_afterwards() -> None:
    """With its directory, documents and master key; the user's own key has sealed nothing."""
    with place() as where:
        where.manager.create(where.ring, issuer="https://id.example")
        assert where.directory.is_dir()
        assert where.staleness == 0
    assert not where.directory.exists()


def test_its_processes_open_it_by_a_file_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names a key file of mode 0600, no key, and not the user's store."""
    with place() as where:
        where.manager.create(where.ring, issuer="https://id.example")
        environment = where.environment("signer")
        assert not {"KEYVAULT_JWT_MASTER_KEY", "KEYVAULT_JWT_STORE"} & environment.keys()
        key = Path(environment["KEYVAULT_JWT_MASTER_KEY_FILE"])
        assert key.stat().st_mode & 0o777 == 0o600
        assert key.read_text().strip() not in environment.values()
        monkeypatch.delenv("KEYVAULT_JWT_MASTER_KEY")
        monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY_FILE", str(key))
        assert open_store(where.url).read(DocumentName(where.ring, DocumentKind.SIGNING)) is not None


@pytest.mark.parametrize("role", ["scheduler", "server", "signer", "verifier"])
def test_in_a_temporary_store_nobody_is_handed_the_user_s_credentials(
    role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No process of the fleet needs more than to run and, some of them, to find the key file."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    monkeypatch.setenv("ANYTHING_ELSE", "of the user's")
    with place() as where:
        environment = where.environment(role)
        assert not {"AWS_SECRET_ACCESS_KEY", "ANYTHING_ELSE", "KEYVAULT_JWT_STATE"} & environment.keys()
        assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize("role", ["server", "verifier"])
def test_who_opens_nothing_private_knows_no_master_key(role: str, tmp_path: Path) -> None:
    """Neither in a temporary store nor in the user's own."""
    for url in (None, f"file:{tmp_path / 'keys'}"):
        with place(url) as where:
            assert not [name for name in where.environment(role) if "MASTER_KEY" in name]


def test_a_verifier_knows_nothing_of_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is handed an address: no credential of a store is in its environment."""
    monkeypatch.setenv("VAULT_TOKEN", "a-token")
    with place(f"file:{tmp_path / 'keys'}") as where:
        assert where.environment("signer")["VAULT_TOKEN"] == "a-token"
        assert "VAULT_TOKEN" not in where.environment("verifier")
        assert where.environment("verifier")["PATH"] == os.environ["PATH"]


def test_in_a_store_that_stays_the_keyring_is_left_frozen(tmp_path: Path) -> None:
    """No scheduler of the user's goes on rotating it every few seconds."""
    url = f"file:{tmp_path / 'keys'}"
    with place(url) as where:
        where.manager.create(where.ring, issuer="https://id.example")
    with KeyManager(open_store(url), listener=lambda event: None) as manager:
        assert manager.keyring(where.ring).frozen_to is not None
        assert manager.plan(where.ring).next_due is None


def test_every_demonstration_has_a_keyring_of_its_own() -> None:
    """Two in one store don't meet."""
    with place() as one, place() as other:
        assert one.ring != other.ring


def test_a_memory_store_is_refused() -> None:
    """Other processes would find nothing in it."""
    with pytest.raises(UsageError, match="can't be shared"), place("memory:"):
        raise AssertionError("unreachable")


def test_a_missing_package_is_named_with_what_to_type() -> None:
    """The extra is named, and so is what it lacks."""
    with pytest.raises(MissingExtra) as refused:
        require_extra(lambda package: None if package == "joserfc" else object())
    assert refused.value.why == "missing: joserfc"
    assert refused.value.fix == "pip install 'keyvault-jwt[demo]'"
    assert "joserfc" in PACKAGES
    require_extra()
