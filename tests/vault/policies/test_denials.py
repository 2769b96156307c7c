"""With the policy that `access` prints a role can do nothing else, and is told which grant it lacks."""

from __future__ import annotations

import json
import re
import urllib.error
from collections.abc import Iterator
from typing import Any

import pytest

from keyvault_jwt.cli.access import ROLES
from keyvault_jwt_vault.errors import Denied
from tests.vault.policies.conftest import RING, SYMMETRIC, House

LEAVES = ["authority", "signing", "verification", "public", "archive-1"]
CAPABILITIES = {
    "GET": "read",
    "LIST": "list",
    "POST": "create and update",
    "DELETE": "delete",
    "PATCH": "patch",
}
Asked = tuple[str, str]
"""A method and a path, in which the first part stands for a place in the mount: `data/RING/LEAF`."""


def everything(ring: str) -> Iterator[Asked]:
    """Yield every request that does anything with a keyring's documents."""
    for leaf in LEAVES:
        for endpoint in ("data", "metadata"):
            for method in ("GET", "POST", "PATCH", "DELETE"):
                yield method, f"{endpoint}/{ring}/{leaf}"
        for endpoint in ("destroy", "delete", "undelete"):
            yield "POST", f"{endpoint}/{ring}/{leaf}"
        yield "GET", f"subkeys/{ring}/{leaf}"
    yield "LIST", f"metadata/{ring}/"
    yield "LIST", "metadata/"


def granted(role: str, ring: str, every: bool) -> set[Asked]:
    """Return what a role may do with a keyring, written down apart from the policies."""
    private = [leaf for leaf in LEAVES if leaf != "public"]
    look = {("LIST", f"metadata/{ring}/"), ("LIST", "metadata/")} if every else set()
    public: Asked = ("GET", f"data/{ring}/public")
    if role == "signer":
        return {("GET", f"data/{ring}/signing")}
    if role == "publisher":
        return {public} | look
    if role == "verifier":
        return {public} if every else {public, ("GET", f"data/{ring}/verification")}
    if role == "auditor":
        metadata = {("GET", f"metadata/{ring}/{leaf}") for leaf in LEAVES}
        return {public, ("GET", f"data/{ring}/archive-1"), ("LIST", f"metadata/{ring}/")} | metadata | look
    data = {(method, f"data/{ring}/{leaf}") for method in ("GET", "POST") for leaf in LEAVES}
    settings = {(method, f"metadata/{ring}/{leaf}") for method in ("GET", "POST") for leaf in private}
    return data | settings | {("POST", f"destroy/{ring}/{leaf}") for leaf in private} | look


def body(method: str) -> dict[str, Any] | None:
    """Return what is sent with a request: versions to destroy, or data without check-and-set."""
    return {"versions": [1], "data": {"x": "1"}} if method in {"POST", "PATCH"} else None


def kept(house: House) -> list[Any]:
    """Return what the server keeps of both keyrings: every document and every version's fate."""
    found = []
    for endpoint in ("data", "metadata"):
        for ring in (RING, SYMMETRIC):
            for leaf in LEAVES:
                try:
                    found.append(house.bao.request("GET", f"secret/{endpoint}/{house.prefix}/{ring}/{leaf}"))
                except urllib.error.HTTPError as absent:
                    found.append({"status": absent.code})
    for answer in found:
        answer.pop("request_id", None)
    return found


@pytest.mark.parametrize("every", [True, False], ids=["every ring", "one ring"])
@pytest.mark.parametrize("role", ROLES)
def test_everything_else_is_denied(house: House, role: str, every: bool) -> None:
    """Each request that is not the role's is refused, by an error that names path and capability."""
    before = json.dumps(kept(house))
    session = house.session(role, "*" if every else RING)
    asked = [one for ring in (RING, SYMMETRIC) for one in everything(ring)]
    allowed = granted(role, RING, every) | (granted(role, SYMMETRIC, every) if every else set())
    for method, place in asked:
        if (method, place) not in allowed:
            endpoint, _, rest = place.partition("/")
            path = f"secret/{endpoint}/{house.prefix}/{rest}"
            headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
            with pytest.raises(Denied, match=rf"lacks {CAPABILITIES[method]} on '{re.escape(path)}'"):
                session.request(method, path, body=body(method), headers=headers)
    assert json.dumps(kept(house)) == before


@pytest.mark.parametrize("role", ROLES)
def test_the_rest_of_the_server_is_closed(house: House, role: str) -> None:
    """No role sees beside the prefix, nor policies, other logins or other tokens."""
    house.bao.request("POST", "secret/data/beside/payments/public", {"data": {"x": "1"}})
    session = house.session(role)
    for method, path in (
        ("GET", "secret/data/beside/payments/public"),
        ("GET", f"secret/data/{house.prefix}/payments/public/below"),
        ("LIST", "secret/metadata/"),
        ("GET", "secret/config"),
        ("GET", "sys/policies/acl/root"),
        ("LIST", "auth/approle/role/"),
        ("LIST", "auth/token/accessors/"),
        ("POST", "auth/token/create"),
    ):
        with pytest.raises(Denied):
            session.request(method, path, body={} if method == "POST" else None)
