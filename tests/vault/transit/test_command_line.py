"""The command line with a store URL that signs in Transit."""

from __future__ import annotations

import subprocess
import sys

import keyvault_jwt as kj
from tests.vault.transit.conftest import ISSUER, RING, Workshop


def test_the_command_line_signs_in_transit_by_the_url_alone(workshop: Workshop) -> None:
    """Create, rotate, sign, show and revoke take a store URL with `transit=` and nothing else."""

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
    active = workshop.active.kid
    assert active[:8] in run("show", RING)
    run("revoke", RING, active, "--reason", "leaked")
    assert workshop.active.kid != active
