"""User name and password: for development, where a person logs in.

Source: https://openbao.org/docs/auth/userpass/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from ..granted import Granted
from .door import Door
from .parameters import Parameters
from .secret import Secret


@dataclass(frozen=True, slots=True)
class UserPass:
    """Logs in with a password."""

    door: Door = field(repr=False)
    mount: str
    username: str
    password: Secret

    def login(self) -> Granted:
        """Log in."""
        return self.door.log_in(
            self.mount,
            f"login/{quote(self.username, safe='')}",
            {"password": self.password.read()},
            check=f"the user {self.username} and {self.password.place()}",
        )


def open_userpass(door: Door, values: Mapping[str, str]) -> UserPass:
    """Return the login of `auth=userpass`.

    Options `username` (needed), `password_file` (else KEYVAULT_JWT_VAULT_PASSWORD), `auth_mount`.
    """
    given = Parameters("userpass", values, ("auth_mount", "username", "password_file"))
    password = Secret("password", given.file("password_file"), ("KEYVAULT_JWT_VAULT_PASSWORD",))
    return UserPass(door, given.mount(), given.required("username"), password)
