"""The environment is read in one place, and what is secret in it stays there."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyvault_jwt.settings import Settings

NAMES = (
    "KEYVAULT_JWT_STORE",
    "KEYVAULT_JWT_STATE",
    "KEYVAULT_JWT_MASTER_KEY",
    "KEYVAULT_JWT_MASTER_KEY_FILE",
    "CREDENTIALS_DIRECTORY",
    "XDG_STATE_HOME",
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment in which nothing of ours is set, and a home of its own."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return monkeypatch


def test_nothing_set(tmp_path: Path) -> None:
    """Without variables there is no store and no key, and state goes where XDG says it goes."""
    settings = Settings()
    assert (settings.store, settings.master_key, settings.master_key_file) == (None, None, None)
    assert settings.credential_file is None
    assert settings.state_directory == tmp_path / ".local/state/keyvault-jwt"


def test_every_variable_is_read(environment: pytest.MonkeyPatch) -> None:
    """Each variable reaches its field under the name that the documentation gives it."""
    for name in NAMES:
        environment.setenv(name, f"/{name}")
    settings = Settings()
    assert settings.store == "/KEYVAULT_JWT_STORE"
    assert settings.state_directory == Path("/KEYVAULT_JWT_STATE")
    assert settings.master_key is not None
    assert settings.master_key.get_secret_value() == "/KEYVAULT_JWT_MASTER_KEY"
    assert settings.master_key_file == Path("/KEYVAULT_JWT_MASTER_KEY_FILE")
    assert settings.credential_file == Path("/CREDENTIALS_DIRECTORY/keyvault-jwt-master-key")


@pytest.mark.parametrize("name", NAMES)
def test_empty_variable_is_unset(environment: pytest.MonkeyPatch, name: str) -> None:
    """An empty variable is as good as none, as `NAME= command` means it."""
    environment.setenv(name, "")
    assert Settings() == Settings.model_construct(**dict.fromkeys(Settings.model_fields))


def test_state_follows_xdg(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An absolute XDG_STATE_HOME is followed; a relative one is ignored, as its specification asks."""
    environment.setenv("XDG_STATE_HOME", "/srv/state")
    assert Settings().state_directory == Path("/srv/state/keyvault-jwt")
    environment.setenv("XDG_STATE_HOME", "relative")
    assert Settings().state_directory == tmp_path / ".local/state/keyvault-jwt"


def test_master_key_is_not_shown(environment: pytest.MonkeyPatch) -> None:
    """The master key shows in no repr and no JSON of the settings."""
    environment.setenv("KEYVAULT_JWT_MASTER_KEY", "canary-of-a-master-key")
    settings = Settings()
    shown = repr(settings) + str(settings) + settings.model_dump_json()
    assert "canary" not in shown
