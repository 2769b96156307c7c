"""AppRole: a role id and a secret id, the latter perhaps wrapped for one reader.

Source: https://openbao.org/docs/auth/approle/ and /docs/concepts/response-wrapping/
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NoReturn

from ..granted import Granted
from .door import Door
from .errors import WrappedSecretSpent
from .parameters import Parameters
from .secret import Secret


class AppRole:
    """Logs in with a role id and a secret id.

    A wrapped secret id serves one process, and the children that it forks after its first login.
    """

    __slots__ = ("_door", "_mount", "_process", "_role_id", "_secret_id", "_unwrapped", "_wrapped")

    def __init__(
        self, door: Door, mount: str, *, role_id: Secret, secret_id: Secret | None, wrapped: Secret | None
    ) -> None:
        self._door, self._mount, self._role_id = door, mount, role_id
        self._secret_id, self._wrapped = secret_id, wrapped
        self._unwrapped: tuple[str, str] | None = None
        self._process = os.getpid()

    def __repr__(self) -> str:
        return f"AppRole(auth/{self._mount})"

    def login(self) -> Granted:
        """Log in, unwrapping the secret id the first time; raises `WrappedSecretSpent` if it can't be."""
        role_id = self._role_id.read()
        body = {"role_id": role_id, "secret_id": self._secret()}
        places = [place.place() for place in (self._role_id, self._secret_id, self._wrapped) if place]
        return self._door.log_in(self._mount, "login", body, check=" and ".join(places))

    def _secret(self) -> str:
        if self._secret_id is not None:
            return self._secret_id.read()
        assert self._wrapped is not None
        wrapping = self._wrapped.look()
        if self._unwrapped is None or wrapping not in {"", self._unwrapped[0]}:
            wrapping = self._wrapped.read()
            self._unwrapped = wrapping, self._unwrap(wrapping)
        return self._unwrapped[1]

    def _unwrap(self, wrapping: str) -> str:
        """Return what was wrapped, if it is a secret id that this mount made for a role of its own.

        The look at where it was made does not spend it, and tells a forgery from the real one.
        """
        seen = self._door.ask("POST", "sys/wrapping/lookup", {"token": wrapping})
        made = seen.data.get("creation_path")
        if made is None:
            self._alarm(f"it was used before{self._by_a_sibling()}, has expired or never was one")
        if not re.fullmatch(rf"auth/{re.escape(self._mount)}/role/[^/]+/(custom-)?secret-id", str(made)):
            self._alarm(f"it does not wrap a secret id made by auth/{self._mount}: it was put there instead")
        found = self._door.ask("POST", "sys/wrapping/unwrap", token=wrapping)
        secret = found.data.get("secret_id")
        if not isinstance(secret, str):
            self._alarm("it was used by another between two of our requests")
        return secret

    def _by_a_sibling(self) -> str:
        if os.getpid() == self._process:
            return ""
        return " (perhaps by a process forked from the same parent, which then must log in before it forks)"

    def _alarm(self, why: str) -> NoReturn:
        assert self._wrapped is not None
        raise WrappedSecretSpent(
            "the wrapped secret id can't be unwrapped: somebody else may have unwrapped it",
            why=why,
            fix="treat it as stolen unless you know who did: destroy that secret id, look into the "
            f"audit log, and put a fresh one in the place of {self._wrapped.place()}",
        )


def open_approle(door: Door, values: Mapping[str, str]) -> AppRole:
    """Return the login of `auth=approle`.

    Options `auth_mount`, `role_id_file` (else KEYVAULT_JWT_VAULT_ROLE_ID), and `secret_id_file`
    or `wrapped_secret_id_file` (else KEYVAULT_JWT_VAULT_SECRET_ID or …_WRAPPED_SECRET_ID).
    """
    given = Parameters(
        "approle", values, ("auth_mount", "role_id_file", "secret_id_file", "wrapped_secret_id_file")
    )
    given.one_of("secret_id_file", "wrapped_secret_id_file")
    role_id = Secret("role id", given.file("role_id_file"), ("KEYVAULT_JWT_VAULT_ROLE_ID",))
    plain = Secret("secret id", given.file("secret_id_file"), ("KEYVAULT_JWT_VAULT_SECRET_ID",))
    wrapped = Secret(
        "wrapped secret id",
        given.file("wrapped_secret_id_file"),
        ("KEYVAULT_JWT_VAULT_WRAPPED_SECRET_ID",),
    )
    use_wrapped = wrapped.file is not None or (plain.file is None and not plain.look() and wrapped.look())
    return AppRole(
        door,
        given.mount(),
        role_id=role_id,
        secret_id=None if use_wrapped else plain,
        wrapped=wrapped if use_wrapped else None,
    )
