"""Signers on real stores: through rotations without a pause, through outages, and across forks."""

from __future__ import annotations

import threading
from pathlib import Path

import keyvault_jwt as kj
from keyvault_jwt.errors import SignerLeaseExpired
from keyvault_jwt.server import create_app, running
from tests.integration.conftest import ISSUER, Spawn
from tests.waiting import until


def test_signing_goes_on_through_rotations_and_every_token_is_accepted(
    payments: kj.KeyManager, store_url: str
) -> None:
    """Four threads sign while the key is replaced twice; a verifier behind HTTP refuses none of it."""
    store, stop = kj.open_store(store_url), threading.Event()
    refused: list[BaseException] = []
    kids: set[str | None] = set()

    def work(signer: kj.Signer, verifier: kj.Verifier) -> None:
        try:
            while not stop.wait(0.005):
                assert verifier.verify(signer.sign({"sub": "u1", "aud": "api"}))["sub"] == "u1"
                kids.add(signer.kid)
        except BaseException as error:
            refused.append(error)

    with (
        kj.RotationScheduler(payments),
        running(create_app(store)) as address,
        kj.Signer(store, "payments", issuer=ISSUER) as signer,
        kj.JWKSCache(f"{address}/payments/.well-known/jwks.json") as cache,
    ):
        verifier = kj.Verifier(cache, issuer=ISSUER, audience="api", algorithms=["ES256"])
        threads = [threading.Thread(target=work, args=(signer, verifier)) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            until(lambda: len(kids) >= 3 or refused, within=60)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert refused == []


def test_a_store_that_vanished_is_outlived_for_the_lease_and_no_longer(
    payments: kj.KeyManager, store_url: str, tmp_path: Path
) -> None:
    """With the directory gone tokens are signed until the lease ends, and again when it is back."""
    keys, away = tmp_path / "keys", tmp_path / "away"
    with kj.Signer(kj.open_store(store_url), "payments") as signer:
        kid = signer.kid
        keys.rename(away)
        signer.sign({"sub": "u1"})

        def expired() -> bool:
            try:
                signer.sign({"sub": "u1"})
            except SignerLeaseExpired:
                return True
            return False

        until(expired)
        away.rename(keys)
        until(lambda: not expired())
        assert signer.kid == kid


def test_workers_forked_from_a_signing_parent_follow_the_key(payments: kj.KeyManager, spawn: Spawn) -> None:
    """Forked workers each sign without fail, and each sees the rotation that comes while they work."""
    process = spawn("preforking")
    assert process.stdout is not None
    assert process.stdout.readline() == "forked\n"
    payments.rotate("payments", emergency=True)
    out, _ = process.communicate(timeout=120)
    assert out.splitlines() == ["replaced"] * 4 + ["ended 0 0 0 0"]
