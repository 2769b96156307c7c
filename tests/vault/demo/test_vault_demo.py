"""The demonstration in a user's own Vault, as its command runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from keyvault_jwt.demo import TRIES
from keyvault_jwt.testing.bao_server import BaoServer

MINUTE = 60.0


def test_a_fleet_keeps_every_promise_in_vault(tmp_path: Path) -> None:
    """Every scene happens, both counts are 0, and one frozen keyring stays, of which the user is told."""
    with BaoServer() as bao:
        done = subprocess.run(
            [sys.executable, "-m", "keyvault_jwt", "demo", "--store", "vault://secret/demo-x", "--json"],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "VAULT_ADDR": bao.url,
                "VAULT_TOKEN": bao.token,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=2 * MINUTE,
        )
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        left = bao.request("GET", "secret/metadata/demo-x?list=true")["data"]["keys"]
        authority = bao.request("GET", f"secret/data/demo-x/{told['ring']}/authority")["data"]["data"]
    assert [scene["happened"] for scene in told["scenes"]] == [True] * 7
    assert (told["refused_though_valid"], told["revoked_accepted_past_bound"]) == (0, 0)
    assert told["kept"] is True
    assert told["issued"] > 100
    assert all(verifier["verified"] > told["issued"] for verifier in told["verifiers"])
    assert all(verifier["tried_past_bound"] >= TRIES for verifier in told["verifiers"])
    assert told["revocation"]["removed"] <= told["revocation"]["bound"]
    assert left == [f"{told['ring']}/"]
    assert '"frozen_to":"nowhere: its demonstration is over"' in authority["text"]
    assert f"the keyring {told['ring']} stays in vault://secret/demo-x, frozen" in done.stderr
    assert bao.token not in done.stdout + done.stderr
