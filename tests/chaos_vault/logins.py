"""Logins: an AppRole for each part, that grants what `keyvault-jwt access` prints for it and no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from keyvault_jwt.testing.bao_cluster import BaoCluster
from keyvault_jwt_vault import access

PARTS: Final = {"scheduler": "rotator", "signer": "signer", "server": "publisher"}
"""Who takes part, and as which role."""
_LIFE: Final = {"token_ttl": "15s", "token_max_ttl": "60s"}
"""Short enough that every token is renewed, and replaced, while leaders come and go."""


def logins(cluster: BaoCluster, url: str) -> Mapping[str, Mapping[str, str]]:
    """Return the environment in which each part logs in with `auth=approle`."""

    def ask(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return cluster.leader.ask(method, path, body, cluster.token)

    ask("POST", "sys/auth/approle", {"type": "approle"})
    environments = {}
    for part, role in PARTS.items():
        at = f"auth/approle/role/{role}"
        ask("PUT", f"sys/policies/acl/{role}", {"policy": access(role, url, "*")[0]})
        ask("POST", at, {"token_policies": [role], "token_no_default_policy": True, **_LIFE})
        environments[part] = {
            "KEYVAULT_JWT_VAULT_ROLE_ID": ask("GET", f"{at}/role-id")["data"]["role_id"],
            "KEYVAULT_JWT_VAULT_SECRET_ID": ask("POST", f"{at}/secret-id", {})["data"]["secret_id"],
        }
    return environments
