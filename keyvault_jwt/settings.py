"""The environment variables that the core reads, in one place.

A provider reads its own, by the names that its service's clients use: docs/vault.md lists Vault's.
Imported only where one is needed: pydantic-settings costs more time than a verifier has.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

CREDENTIAL_NAME = "keyvault-jwt-master-key"
"""The name of the master key among a systemd unit's credentials (`LoadCredential=`)."""


class Settings(BaseSettings):
    """What the environment says; an empty variable counts as unset.

    `store` is the default store URL; `state` the directory for what must survive restarts but
    not live in the store; the other fields say where the embedded store's master key is.
    """

    model_config = SettingsConfigDict(
        env_prefix="KEYVAULT_JWT_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        # A validation message quotes its input, and one of the inputs is a key.
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    store: str | None = None
    state: Path | None = None
    master_key: SecretStr | None = None
    master_key_file: Path | None = None
    credentials_directory: Path | None = Field(
        default=None, validation_alias=AliasChoices("credentials_directory", "CREDENTIALS_DIRECTORY")
    )
    xdg_state_home: Path | None = Field(
        default=None, validation_alias=AliasChoices("xdg_state_home", "XDG_STATE_HOME")
    )

    @property
    def state_directory(self) -> Path:
        """Where state lives: `KEYVAULT_JWT_STATE`, else `keyvault-jwt` under the XDG state home.

        A relative `XDG_STATE_HOME` is ignored, as the XDG Base Directory Specification asks.
        """
        if self.state is not None:
            return self.state.expanduser().absolute()
        home = self.xdg_state_home
        if home is None or not home.is_absolute():
            home = Path.home() / ".local" / "state"
        return home / "keyvault-jwt"

    @property
    def credential_file(self) -> Path | None:
        """The file of the systemd credential, whether or not it exists; None outside such a unit."""
        directory = self.credentials_directory
        return None if directory is None else directory / CREDENTIAL_NAME
