"""What each role does all day, as whoever has its store URL: any of it that is denied raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import boto3  # type: ignore[import-untyped]
import httpx

import keyvault_jwt as kj
from keyvault_jwt.keys import KeyState
from keyvault_jwt.server import create_app, running
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from tests.aws.machine import ISSUER, RING
from tests.aws.policies.house import HMAC, SYMMETRIC, House
from tests.waiting import until

MADE_ANEW = "wages"
Work: TypeAlias = Callable[[House, str, str], None]
"""Done in an empty house with the role's store URL, for one keyring or `*`."""


def rotator(house: House, url: str, ring: str) -> None:
    """Lead a key from birth to destruction, revoke, archive, and find the keyrings if all are its."""
    machine = house.machine(url)
    manager, store = machine.manager, machine.store
    manager.create(MADE_ANEW, HMAC, issuer=ISSUER)
    first = manager.keyring(MADE_ANEW).active
    assert first is not None
    for _ in range(60):
        if manager.keyring(MADE_ANEW).record(first.kid).state is KeyState.DESTROYED:
            break
        due = manager.plan(MADE_ANEW).next_due
        machine.clock.advance(max(1, (due or 0) - machine.clock.wall()))
        manager.reconcile(MADE_ANEW)
    now = manager.keyring(MADE_ANEW).active
    assert manager.keyring(MADE_ANEW).record(first.kid).state is KeyState.DESTROYED
    assert now is not None
    manager.revoke(MADE_ANEW, now.kid, reason="leaked in a log", accept_refusals=True)
    archive = DocumentName(MADE_ANEW, DocumentKind.ARCHIVE, 1)
    assert store.read(archive) is None
    store.replace(archive, Draft(b"{}", 1, uuid4()), expected=None)
    assert store.read(archive) is not None
    assert ring != "*" or manager.names() == (MADE_ANEW,)
    for kind in ("authority", "signing", "verification"):
        held = house.account.layer.region().secrets[f"{house.prefix}/{MADE_ANEW}/{kind}"]
        assert held.holder("AWSPREVIOUS") is None, f"{kind} is readable as it was"


def signer(house: House, url: str, ring: str) -> None:
    """Find no keyring, then sign by it."""
    store = house.enter(url)
    assert store.read(DocumentName(RING, DocumentKind.SIGNING)) is None
    house.furnish()
    with kj.Signer(store, RING, issuer=ISSUER, clock=house.owner.clock, background=False) as it:
        assert house.owner.accepts(it.sign({"sub": "u1", "aud": "api"}, ttl=timedelta(seconds=2)))


def publisher(house: House, url: str, ring: str) -> None:
    """Find no keyring, then serve its set over HTTP."""
    store = house.enter(url)
    assert store.read(DocumentName(RING, DocumentKind.PUBLIC)) is None
    house.furnish()
    assert store.read(DocumentName(RING, DocumentKind.PUBLIC)) is not None
    assert ring != "*" or {name.ring for name in store.names()} == {RING, SYMMETRIC}
    app = create_app(store, rings=None if ring == "*" else [ring])
    with running(app) as at, httpx.Client(trust_env=False, base_url=at) as client:
        until(lambda: client.get(f"/{RING}/.well-known/jwks.json").status_code == 200)
        published = client.get(f"/{RING}/.well-known/jwks.json").json()
        others = client.get(f"/{SYMMETRIC}/.well-known/openid-configuration").status_code
    assert house.owner.active() in {key["kid"] for key in published["keys"]}
    assert (others == 404) is (ring != "*")


def verifier(house: House, url: str, ring: str) -> None:
    """Find no keyring, then take a token by what the store tells: a symmetric one's if granted by name."""
    store, symmetric = house.enter(url), ring != "*"
    name, algorithm = (SYMMETRIC, "HS256") if symmetric else (RING, "ES256")
    for kind in (DocumentKind.PUBLIC, DocumentKind.VERIFICATION)[: 1 + symmetric]:
        assert store.read(DocumentName(name, kind)) is None
    house.furnish()
    clock = house.owner.clock
    assert store.read(DocumentName(name, DocumentKind.PUBLIC)) is not None
    with kj.Signer(house.owner.store, name, issuer=ISSUER, clock=clock, background=False) as it:
        token = it.sign({"sub": "u1", "aud": "api"}, ttl=timedelta(seconds=2))
    with kj.JWKSCache.from_store(store, name, clock=clock) as cache:
        takes = kj.Verifier(cache, issuer=ISSUER, audience="api", algorithms=[algorithm], clock=clock)
        assert takes.verify(token)["sub"] == "u1"


def auditor(house: House, url: str, ring: str) -> None:
    """Read what is public and archived, and when and how each document was written."""
    store = house.enter(url)
    public, archive = (
        DocumentName(SYMMETRIC, DocumentKind.PUBLIC),
        DocumentName(SYMMETRIC, DocumentKind.ARCHIVE, 1),
    )
    assert store.read(public) is None
    house.furnish()
    assert store.read(public) is not None
    assert store.read(archive) is not None
    seen = client(url)
    for leaf in ("authority", "signing", "verification", "public", "archive-1"):
        secret = f"{house.prefix}/{SYMMETRIC}/{leaf}"
        assert seen.describe_secret(SecretId=secret)["CreatedDate"]
        versions = seen.list_secret_version_ids(SecretId=secret)["Versions"]
        assert any("AWSCURRENT" in version["VersionStages"] for version in versions)
    assert ring != "*" or {name.ring for name in store.names()} == {RING, SYMMETRIC}


def client(url: str) -> Any:
    """Return a client of AWS's own, as the identity of a store URL."""
    options = dict(parse_qsl(urlsplit(url).query))
    session = boto3.session.Session(profile_name=options["profile"])
    return session.client("secretsmanager", region_name="us-east-1", endpoint_url=options["endpoint_url"])


WORK: Final[Mapping[str, Work]] = MappingProxyType(
    {"rotator": rotator, "signer": signer, "publisher": publisher, "verifier": verifier, "auditor": auditor}
)
ONE_RING: Final = MappingProxyType(
    {"rotator": MADE_ANEW, "signer": RING, "publisher": RING, "verifier": SYMMETRIC, "auditor": SYMMETRIC}
)
"""The keyring that each role's work is about where it is granted one."""
