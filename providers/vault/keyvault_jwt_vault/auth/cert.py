"""TLS certificate: the client certificate of the connection itself.

Source: https://openbao.org/docs/auth/cert/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..granted import Granted
from .door import Door
from .errors import CredentialsMissing
from .parameters import Parameters


@dataclass(frozen=True, slots=True)
class Certificate:
    """Logs in under one certificate role, or under whichever matches."""

    door: Door = field(repr=False)
    mount: str
    role: str

    def login(self) -> Granted:
        """Log in; raises `CredentialsMissing` if there is no certificate, or no TLS to show it in."""
        address = self.door.address
        if address.client_certificate is None or not address.server.startswith("https://"):
            raise CredentialsMissing(
                "there is no client certificate to log in with",
                why="VAULT_CLIENT_CERT is not set, or VAULT_ADDR is not https://",
                fix="set VAULT_CLIENT_CERT and VAULT_CLIENT_KEY to PEM files, and VAULT_ADDR to https://…",
            )
        for path in (address.client_certificate, address.client_key):
            if path is not None and not path.is_file():
                raise CredentialsMissing(
                    "a file of the client certificate is missing",
                    why=f"{path} is no file",
                    fix="put it there",
                )
        return self.door.log_in(
            self.mount,
            "login",
            {"name": self.role} if self.role else {},
            check=f"the certificate in {address.client_certificate}, its CA and its dates, "
            f"and the role {self.role or '(any that matches)'}",
        )


def open_cert(door: Door, values: Mapping[str, str]) -> Certificate:
    """Return the login of `auth=cert`; options `role`, `auth_mount`."""
    given = Parameters("cert", values, ("auth_mount", "role"))
    return Certificate(door, given.mount(), given.text("role"))
