"""The command line with a store URL that signs in KMS."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

import pytest

import keyvault_jwt as kj
from keyvault_jwt.errors import KeyRefused, KeyvaultJWTError
from keyvault_jwt_aws import open_url
from tests.aws.kms.conftest import ISSUER, RING, Workshop
from tests.aws.kms.test_retiring import require_rest


def test_the_command_line_signs_in_kms_by_the_url_alone(workshop: Workshop) -> None:
    """Create, rotate, sign, show and revoke take a store URL with `kms=sign` and nothing else."""

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "keyvault_jwt", "--store", workshop.url, *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("create", RING, "--issuer", ISSUER)
    run("rotate", RING)
    token = run("token", "sign", RING, "--sub", "u1", "--aud", "api").strip()
    with kj.JWKSCache.from_store(workshop.store, RING) as cache:
        verifier = kj.Verifier(cache, issuer=ISSUER, audience="api", algorithms=["ES256"])
        assert verifier.verify(token)["sub"] == "u1"
    active = workshop.active
    assert active.kid[:8] in run("show", RING)
    run("revoke", RING, active.kid, "--reason", "leaked")
    assert workshop.active.kid != active.kid
    assert workshop.kms.of(active.reference).state == "PendingDeletion"
    require_rest(workshop)


def test_a_url_without_kms_adds_no_private_half(workshop: Workshop) -> None:
    """Whoever forgets `kms=sign` changes nothing: a key made here would be in the documents."""
    workshop.create()
    plain = workshop.url.replace("&kms=sign", "").partition("&kms_")[0]
    with open_url(plain) as store:
        before = workshop.manager.keyring(RING)
        for change in (
            lambda manager: manager.rotate(RING, emergency=True),
            lambda manager: manager.rotate(RING),
        ):
            with suppress(KeyvaultJWTError):
                change(workshop.manages(store))
        assert all(record.private is None for record in workshop.manager.keyring(RING).records)
        with pytest.raises(KeyRefused, match="no key is made here") as told:
            workshop.manages(store)._keys_of(RING, before)
    assert "kms=sign" in told.value.fix
