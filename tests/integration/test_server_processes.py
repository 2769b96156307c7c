"""The server as a process: strangers' clients, an outage of its store, and caches that ask again."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import httpx
import jwt
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

import keyvault_jwt as kj
from keyvault_jwt.server import Observers, create_app, running
from tests.integration.conftest import ISSUER, Spawn
from tests.waiting import until


def address_of(process: subprocess.Popen[str]) -> str:
    """Wait until the server tells its address."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_strangers_take_what_it_serves(payments: kj.KeyManager, store_url: str, spawn: Spawn) -> None:
    """PyJWT's client and joserfc verify a token by the set that another process serves."""
    jwks = f"{address_of(spawn('publishing'))}/payments/.well-known/jwks.json"
    with kj.Signer(kj.open_store(store_url), "payments") as signer:
        token = signer.sign({"sub": "u1", "aud": "api"})
    client = jwt.PyJWKClient(jwks, lifespan=1, cooldown_duration=0)
    key = client.get_signing_key_from_jwt(token)
    assert jwt.decode(token, key, algorithms=["ES256"], issuer=ISSUER, audience="api")["sub"] == "u1"
    keys = KeySet.import_key_set(httpx.get(jwks).json())
    assert joserfc_jwt.decode(token, keys, algorithms=["ES256"]).claims["sub"] == "u1"


def test_a_revoked_key_leaves_another_processes_server(payments: kj.KeyManager, spawn: Spawn) -> None:
    """A revocation committed here is published there, under another ETag."""
    jwks = f"{address_of(spawn('publishing'))}/payments/.well-known/jwks.json"
    before = httpx.get(jwks)
    kid = payments.keyring("payments").standbys("ES256")[0].kid
    assert kid in before.text
    payments.revoke("payments", kid, reason="leaked")
    until(lambda: kid not in httpx.get(jwks).text)
    assert httpx.get(jwks, headers={"If-None-Match": before.headers["etag"]}).status_code == 200


def test_a_store_that_vanished_ends_the_answers_after_the_lease(
    payments: kj.KeyManager, spawn: Spawn, tmp_path: Path
) -> None:
    """With the directory gone the answer becomes 503 with a time to ask again; back, it is 200 again."""
    process = spawn("publishing")
    jwks = f"{address_of(process)}/payments/.well-known/jwks.json"
    assert httpx.get(jwks).status_code == 200
    keys, away = tmp_path / "keys", tmp_path / "away"
    keys.rename(away)
    until(lambda: httpx.get(jwks).status_code == 503)
    assert httpx.get(jwks).headers["retry-after"] == "1"
    away.rename(keys)
    until(lambda: httpx.get(jwks).status_code == 200)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "ended\n")


def test_our_own_cache_tells_what_it_holds(payments: kj.KeyManager, store_url: str) -> None:
    """The cache asks again with the ETag it was given, and the table of verifiers shows its revision."""
    store = kj.open_store(store_url)
    observers = Observers(then=lambda event: None)
    with (
        running(create_app(store, observers=observers)) as address,
        kj.JWKSCache(f"{address}/payments/.well-known/jwks.json") as cache,
    ):
        cache.refresh()
        cache.refresh()
        (row,) = httpx.get(f"{address}/verifiers").json()["verifiers"]
        assert row["held"] == row["given"]
        assert row["held"]["revision"] == payments.keyring("payments").revision
        assert 'route="jwks",status="304"} 1.0' in httpx.get(f"{address}/metrics").text
