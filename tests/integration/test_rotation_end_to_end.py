"""The main job on real parts: `up` rotates, `token sign` signs, and strangers verify over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from keyvault_jwt import base64url

FAST = {
    "rotate-every": "6s",
    "token-ttl": "2s",
    "leeway": "100ms",
    "clock-skew": "100ms",
    "signer-poll": "200ms",
    "publisher-poll": "200ms",
    "signer-lease": "1500ms",
    "publisher-lease": "1500ms",
    "jwks-max-age": "1s",
    "max-stale": "1s",
    "rollback-window": "1s",
}
"""The policy of seconds: lead 3.6 s, retirement 3.8 s."""

ISSUER = "https://id.example"
AUDIENCE = "api"
BOUND = 3.6
"""D + S + C + G + ε of that policy, in seconds."""


class Fleet:
    """One `up`, the command line beside it, and two verifiers that know nothing of us."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "KEYVAULT_JWT_STORE": f"file:{home / 'keys'}",
            "KEYVAULT_JWT_STATE": str(home / "state"),
        }
        self.processes: list[subprocess.Popen[str]] = []

    def run(self, *words: str) -> str:
        """Return what one command prints; it must succeed."""
        done = subprocess.run(
            [sys.executable, "-m", "keyvault_jwt", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a process of our Python that is ended with the fleet."""
        with (self.home / f"stderr-{len(self.processes)}").open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, *words],
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                bufsize=1,
            )
        self.processes.append(process)
        return process

    def up(self) -> str:
        """Start `up` and return the address of its JWKS."""
        process = self.start("-m", "keyvault_jwt", "up", "--port", "0", "--json")
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (self.home / "stderr-0").read_text()
        return str(json.loads(line)["jwks"])

    def stop(self) -> None:
        """End every process; `up` must end cleanly."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(timeout=20)
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet whose processes end with the test."""
    fleet = Fleet(tmp_path)
    yield fleet
    fleet.stop()


def ask(verifier: subprocess.Popen[str], line: str) -> str:
    """Return a verifier's verdict on a line."""
    assert verifier.stdin is not None
    assert verifier.stdout is not None
    verifier.stdin.write(line + "\n")
    verifier.stdin.flush()
    return verifier.stdout.readline().strip()


def seconds(printed: str) -> float:
    return datetime.fromisoformat(printed).timestamp()


def kid_of(token: str) -> str:
    return str(json.loads(base64url.decode(token.split(".", maxsplit=1)[0]))["kid"])


def test_strangers_accept_every_token_through_three_rotations_and_none_of_a_revoked_key(
    fleet: Fleet,
) -> None:
    """PyJWT's client and joserfc, over HTTP, never refuse a valid token, and let a revoked kid go in time."""
    fleet.run("create", "default", "--issuer", ISSUER, *(w for k, v in FAST.items() for w in (f"--{k}", v)))
    address = fleet.up()
    peers = Path(__file__).parent / "peers"
    verifiers = [
        fleet.start(str(peers / f"{name}_peer.py"), address, ISSUER, AUDIENCE, "1")
        for name in ("pyjwt", "joserfc")
    ]

    kids: list[str] = []
    issued = 0
    deadline = time.monotonic() + 90
    while len(kids) < 4 and time.monotonic() < deadline:
        token = fleet.run("token", "sign", "default", "--sub", "me", "--aud", AUDIENCE).strip()
        issued += 1
        for verifier in verifiers:
            assert ask(verifier, token) == "accepted", f"token {issued} of key {len(kids)}"
        if kid_of(token) not in kids:
            kids.append(kid_of(token))
    assert len(kids) >= 4, "three rotations did not happen in time"

    token = fleet.run("token", "sign", "default", "--sub", "me", "--aud", AUDIENCE).strip()
    revoked = kid_of(token)
    told = json.loads(fleet.run("revoke", "default", revoked, "--reason", "leaked in a test", "--json"))
    removed, bound = (seconds(told["revocation"][name]) for name in ("removed", "bound"))
    assert bound == pytest.approx(removed + BOUND, abs=0.001)
    for verifier in verifiers:
        while (verdict := ask(verifier, f"signature {token}")) == "accepted":
            assert time.time() < bound, "a revoked key was accepted past its bound"
        assert verdict.startswith("refused")
        assert ask(verifier, f"signature {token}") == verdict, "a revoked key came back"

    following = fleet.run("token", "sign", "default", "--sub", "me", "--aud", AUDIENCE).strip()
    assert kid_of(following) != revoked
    for verifier in verifiers:
        assert ask(verifier, following) == "accepted"
