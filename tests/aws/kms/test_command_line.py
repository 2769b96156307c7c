"""The command line with a store URL that signs in KMS."""

from __future__ import annotations

import subprocess
import sys

import keyvault_jwt as kj
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
