"""Kubernetes: the token of the pod's service account.

Source: https://openbao.org/docs/auth/kubernetes/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..granted import Granted
from .door import Door
from .parameters import Parameters
from .secret import Secret

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
"""Where the kubelet puts the token, and replaces it before it ends."""


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """Logs in with the service account's token, read anew each time since it rotates."""

    door: Door = field(repr=False)
    mount: str
    role: str
    jwt: Secret

    def login(self) -> Granted:
        """Log in; the server asks the cluster's TokenReview API about the token.

        It answers 403 alike if the cluster does not know the token, if it can't reach the cluster, and
        if nothing is mounted there.
        """
        return self.door.log_in(
            self.mount,
            "login",
            {"role": self.role, "jwt": self.jwt.read()},
            check=f"auth_mount, the role {self.role}, the service account it is bound to, its audience, "
            f"{self.jwt.place()}, and whether the server reaches the cluster's API",
            forbids=True,
        )


def open_kubernetes(door: Door, values: Mapping[str, str]) -> Kubernetes:
    """Return the login of `auth=kubernetes`; options `role` (needed), `jwt_file`, `auth_mount`."""
    given = Parameters("kubernetes", values, ("auth_mount", "role", "jwt_file"))
    token = Secret("service account's token", given.file("jwt_file") or SERVICE_ACCOUNT)
    return Kubernetes(door, given.mount(), given.required("role"), token)
