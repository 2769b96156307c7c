"""The demonstration in Secrets Manager, as its command runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from keyvault_jwt.demo import TRIES
from tests.aws.strict_secretsmanager import StrictSecretsManager

MINUTE = 60.0


def test_a_fleet_keeps_every_promise_in_secrets_manager(tmp_path: Path, strict: StrictSecretsManager) -> None:
    """Every scene happens, both counts are 0, and one frozen keyring stays, of which the user is told."""
    url = f"awssm://us-east-1/demo-x?endpoint_url={strict.url}&quota=off&staleness=0"
    done = subprocess.run(
        [sys.executable, "-m", "keyvault_jwt", "demo", "--store", url, "--json"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **strict.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * MINUTE,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    secrets = strict.region().secrets
    left = {name.removeprefix("demo-x/") for name in secrets if name.startswith("demo-x/")}
    authority = secrets[f"demo-x/{told['ring']}/authority"]
    assert [scene["happened"] for scene in told["scenes"]] == [True] * 7
    assert (told["refused_though_valid"], told["revoked_accepted_past_bound"]) == (0, 0)
    assert told["kept"] is True
    assert told["issued"] > 100
    assert all(verifier["verified"] > told["issued"] for verifier in told["verifiers"])
    assert all(verifier["tried_past_bound"] >= TRIES for verifier in told["verifiers"])
    assert told["revocation"]["removed"] <= told["revocation"]["bound"]
    assert left == {f"{told['ring']}/{kind}" for kind in ("authority", "signing", "public")}
    now = authority.versions[authority.holder("AWSCURRENT") or ""].value
    assert '"frozen_to":"nowhere: its demonstration is over"' in now
    assert f"the keyring {told['ring']} stays in {url}, frozen" in done.stderr
    assert strict.environment["AWS_SECRET_ACCESS_KEY"] not in done.stdout + done.stderr
