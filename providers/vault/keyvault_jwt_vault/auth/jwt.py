"""JWT/OIDC role login with a JWT that something else signed: GitLab, GitHub Actions, a workload's issuer.

Source: https://openbao.org/docs/auth/jwt/ and, for GitLab's `id_tokens`,
https://docs.gitlab.com/ci/secrets/id_token_authentication/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from keyvault_jwt.errors import BadStoreURL

from ..granted import Granted
from .door import Door
from .github_actions import GitHubActions
from .parameters import Parameters
from .secret import Secret


class JWTSource(Protocol):
    """Where a JWT comes from."""

    def read(self) -> str:
        """Return a JWT that is good now; raises `CredentialsMissing` or `LoginImpossible`."""
        ...

    def place(self) -> str:
        """Return where it comes from, for a message."""
        ...


@dataclass(frozen=True, slots=True)
class JWTLogin:
    """Logs in with a JWT under a role, or under the mount's default role."""

    door: Door = field(repr=False)
    mount: str
    role: str
    jwt: JWTSource

    def login(self) -> Granted:
        """Log in; the server checks the JWT's signature, issuer, audience and the role's bound claims."""
        body = {"jwt": self.jwt.read()} | ({"role": self.role} if self.role else {})
        return self.door.log_in(
            self.mount,
            "login",
            body,
            check=f"the role {self.role or '(the default one)'}, its bound audiences and claims, "
            f"and that {self.jwt.place()} has not expired",
        )


def open_jwt(door: Door, values: Mapping[str, str]) -> JWTLogin:
    """Return the login of `auth=jwt`; options `role`, `auth_mount`, and where the JWT comes from.

    That is one of `jwt_file`, `jwt_variable` (the name of an environment variable, as GitLab's
    `id_tokens` make them; else KEYVAULT_JWT_VAULT_JWT) and `jwt_from=github-actions` with `audience`.
    """
    known = ("auth_mount", "role", "jwt_file", "jwt_variable", "jwt_from", "audience")
    given = Parameters("jwt", values, known)
    given.one_of("jwt_file", "jwt_variable", "jwt_from")
    return JWTLogin(door, given.mount(), given.text("role"), _source(given, door))


def _source(given: Parameters, door: Door) -> JWTSource:
    issuer, audience = given.text("jwt_from"), given.text("audience")
    if issuer == "github-actions":
        return GitHubActions(audience, door.address)
    if issuer or audience:
        raise BadStoreURL(
            "the vault store URL does not say how to log in",
            why="jwt_from is something else than github-actions, or audience stands without it",
            fix="write jwt_from=github-actions&audience=…, or leave both out",
        )
    variable = given.variable("jwt_variable") or "KEYVAULT_JWT_VAULT_JWT"
    return Secret("JWT", given.file("jwt_file"), (variable,))
