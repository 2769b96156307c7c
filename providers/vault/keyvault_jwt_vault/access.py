"""What `keyvault-jwt access ROLE` tells of a vault:// store: a policy, made from the templates beside it."""

from __future__ import annotations

import shlex
from importlib.resources import files
from string import Template
from types import MappingProxyType
from typing import Final

from keyvault_jwt.errors import UsageError

from .address import Address, parse_url
from .path_name import require_grantable
from .transit.key_name import key_names
from .transit.mount import transit_mount

EVERY_RING: Final = "*"

_ENDPOINTS: Final = ("data", "metadata", "destroy")
_ROLES: Final = MappingProxyType(
    {"rotator": True, "signer": False, "publisher": True, "verifier": False, "auditor": True}
)
"""Each role, and whether one that serves every keyring must find out which there are."""
_TRANSIT: Final = frozenset({"rotator", "signer"})
"""The roles that ask anything of Transit, if the store URL names a mount of it."""


def access(role: str, url: str, ring: str) -> tuple[str, tuple[str, ...]]:
    """Return the policy of a role in HCL, and what else to know; `ring` is a name, or `*` for all.

    It grants by itself all that the role needs, so that the token may do without the policy `default`.
    Raises `BadStoreURL` and `BadRingName`.  Syntax: https://openbao.org/docs/concepts/policies/
    """
    if role not in _ROLES:
        raise UsageError(f"there is no role {role}", fix=f"the roles are {', '.join(_ROLES)}")
    address, parameters = parse_url(url)
    transit = transit_mount(parameters)
    require_grantable(ring)
    places, parts = _places(address, ring), _parts(role, ring)
    if transit is not None and role in _TRANSIT:
        names = key_names(address, "" if ring == EVERY_RING else ring)
        places |= {"transit": transit, "names": names}
        parts.insert(1, f"transit-{role}")
    policy = "\n".join(_template(name).substitute(places).strip() for name in parts)
    return policy, _notes(role, url, ring, address)


def _parts(role: str, ring: str) -> list[str]:
    parts = [role]
    if role == "verifier" and ring != EVERY_RING:
        parts.append("symmetric")
    if _ROLES[role] and ring == EVERY_RING:
        parts.append("listing")
    return [*parts, "token"]


def _template(name: str) -> Template:
    return Template(
        files("keyvault_jwt_vault").joinpath("policies", f"{name}.hcl").read_text(encoding="utf-8")
    )


def _places(address: Address, ring: str) -> dict[str, str]:
    every = ring == EVERY_RING
    below = {name: "/".join((address.mount, name, address.path())).rstrip("/") for name in _ENDPOINTS}
    return below | {"ring": "+" if every else ring, "rings": "every keyring" if every else ring}


def _notes(role: str, url: str, ring: str, address: Address) -> tuple[str, ...]:
    # A keyring's own policy has its own name, so that it is granted besides others and replaces none.
    which, asked = ("", "") if ring == EVERY_RING else (f"-{ring}", f" --ring {ring}")
    name = f"keyvault-jwt-{role}{which}"
    notes = [
        f"apply it: keyvault-jwt --store {shlex.quote(url)} access {role}{asked} | bao policy write {name} -",
        f"its environment: BAO_ADDR={address.server} KEYVAULT_JWT_STORE={shlex.quote(url)}",
    ]
    if address.namespace:
        notes.append(f"the policy belongs into the namespace {address.namespace}")
    if role == "verifier" and ring == EVERY_RING:
        notes.append(
            "symmetric keyrings are left out, for who verifies theirs could sign: grant each with --ring"
        )
    return tuple(notes)
