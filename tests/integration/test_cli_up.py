"""`up` and `serve` as processes: they make what is missing, answer, and end when told."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.cli_shell import DEADLINE, ISSUER, Shell, shell_in

Start = Callable[..., tuple[subprocess.Popen[str], Any]]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell whose store and state are the test's own, and whose processes end with it."""
    with shell_in(tmp_path) as shell:
        yield shell


@pytest.fixture
def start(shell: Shell) -> Start:
    """Start a service with `--json`, and return it with what it says when it is ready."""

    def start(*words: str) -> tuple[subprocess.Popen[str], Any]:
        process = shell.start(*words, "--json")
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate(timeout=DEADLINE)
        return process, json.loads(line)

    return start


def test_up_makes_everything_and_answers(shell: Shell, start: Start) -> None:
    """Store, key, keyring, JWKS and dashboard from nothing; a token signed beside it is good."""
    _, told = start("up", "--port", "0")
    assert told["issuer"] == f"{told['url']}/default"
    keys = httpx.get(told["jwks"]).json()["keys"]
    assert keys[0]["kid"] == told["active"]
    assert httpx.get(told["dashboard"]).status_code == 200
    token = shell.run("token", "sign", "default", "--sub", "me", "--aud", "api").stdout
    words = ("--jwks", told["jwks"], "--issuer", told["issuer"], "--audience", "api")
    claims = json.loads(shell.run("token", "verify", *words, stdin=token).stdout)
    assert claims["sub"] == "me"


def test_up_uses_a_directory_of_its_own_that_git_ignores(shell: Shell, start: Start) -> None:
    """Without a store named, `.keyvault-jwt` in the working directory, and its key is elsewhere."""
    del shell.environment["KEYVAULT_JWT_STORE"]
    process, told = start("up", "--port", "0")
    assert told["store"] == "file:.keyvault-jwt"
    made = shell.home / ".keyvault-jwt"
    assert (made / ".gitignore").read_text() == "*\n"
    assert list(made.rglob("*.key")) == []
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=DEADLINE)
    (note,) = (line for line in said.splitlines() if "master key" in line)
    key = Path(json.loads(note)["note"].split("master key ")[1].split(" ")[0])
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_text().strip() not in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("words", [("up", "--port", "0"), ("serve", "--port", "0")])
def test_a_service_ends_cleanly_when_told(
    start: Start, words: tuple[str, ...], number: signal.Signals
) -> None:
    """Status 0, nothing more on stdout, no traceback."""
    process, _ = start(*words)
    process.send_signal(number)
    rest, said = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, said
    assert rest == ""
    assert "Traceback" not in said


def test_a_second_up_finds_its_keyring_again(shell: Shell, start: Start) -> None:
    """The keyring made first is the one that is served, under its issuer."""
    first, told = start("up", "--port", "0", "--issuer", ISSUER)
    first.terminate()
    first.communicate(timeout=DEADLINE)
    _, again = start("up", "--port", "0")
    assert (again["active"], again["issuer"]) == (told["active"], ISSUER)
    assert len(shell.json("list")["keyrings"]) == 1


def test_another_issuer_than_the_keyrings_is_refused(shell: Shell) -> None:
    """Tokens of the first issuer are in use, so the second is an error, not a change."""
    shell.run("create", "default", "--issuer", ISSUER)
    refused = shell.run("up", "--port", "0", "--issuer", "https://other.example", status=2)
    assert "issuer_mismatch" in refused.stderr


def test_a_taken_port_is_said(shell: Shell) -> None:
    """With what to do about it, before anything is made."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = shell.run("up", "--port", port, status=2)
    assert "--port" in refused.stderr
    assert shell.json("list")["keyrings"] == []


def test_the_first_screen_says_where_and_what_to_try(shell: Shell) -> None:
    """JWKS, dashboard and lines that can be typed, on stderr; stdout stays empty."""
    process = shell.start("up", "--port", "0")
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if " show default" in line:
            break
    process.terminate()
    out, _ = process.communicate(timeout=DEADLINE)
    assert out == ""
    assert "/.well-known/jwks.json" in said
    assert "dashboard" in said
    assert "token sign default --sub me --aud api" in said
    assert shell.run("token", "sign", "default", "--sub", "me").stdout.count(".") == 2


def test_serving_needs_no_master_key(shell: Shell, start: Start, tmp_path: Path) -> None:
    """A publisher reads public documents alone: another user's state directory is enough."""
    active = json.loads(shell.run("create", "payments", "--issuer", ISSUER, "--json").stdout)["active"]
    shell.environment["KEYVAULT_JWT_STATE"] = str(tmp_path / "publisher")
    _, told = start("serve", "--port", "0", "--default-ring", "payments", "--public-only")
    assert httpx.get(told["jwks"]).json()["keys"][0]["kid"] == active
    assert httpx.get(f"{told['url']}/payments/.well-known/jwks.json").status_code == 200
    assert httpx.get(f"{told['url']}/").status_code == 404
    assert shell.run("rotate", "payments", status=1).stdout == ""


def test_only_the_keyrings_named_are_served(shell: Shell, start: Start) -> None:
    """Others of the store stay private to it."""
    for ring in ("payments", "users"):
        shell.run("create", ring, "--issuer", ISSUER)
    _, told = start("serve", "--port", "0", "--ring", "users")
    assert httpx.get(f"{told['url']}/users/.well-known/jwks.json").status_code == 200
    assert httpx.get(f"{told['url']}/payments/.well-known/jwks.json").status_code == 404


def test_a_store_that_is_not_there_serves_nothing_and_says_so(shell: Shell, start: Start) -> None:
    """Nobody is told that there are keys."""
    _, told = start("serve", "--port", "0")
    assert httpx.get(told["jwks"]).status_code in {404, 503}
