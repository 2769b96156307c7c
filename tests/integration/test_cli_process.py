"""The command line as a process: what it imports, what it writes where, how it ends."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from tests.integration.cli_shell import DEADLINE, ISSUER, SECONDS, Shell, shell_in

HEAVY = {"apscheduler", "cryptography", "jwt", "msgspec", "pydantic", "starlette", "uvicorn"}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell whose store and state are the test's own, and whose processes end with it."""
    with shell_in(tmp_path) as shell:
        yield shell


@pytest.fixture
def on_screen(shell: Shell) -> Callable[..., str]:
    """Run words on a pseudo-terminal, and return what a person would see."""

    def run(*words: str, **environment: str) -> str:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "keyvault_jwt", *words],
            env=shell.environment | {"TERM": "xterm-256color", "COLUMNS": "100"} | environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        seen = b""
        try:
            while select.select([ours], [], [], DEADLINE)[0] and (data := _read(ours)):
                seen += data
            assert process.wait(DEADLINE) == 0
        finally:
            os.close(ours)
            process.kill()
            process.wait()
        return seen.decode()

    return run


def _read(terminal: int) -> bytes:
    """Return what is to be read; the end of a pseudo-terminal is an error on Linux."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["token", "--help"]])
def test_small_commands_import_nothing_heavy(shell: Shell, words: list[str]) -> None:
    """Neither cryptography nor pydantic nor any other slow package is imported to say so little."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "keyvault_jwt", *words],
        env=shell.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "click" in imported
    assert not HEAVY & imported


def test_the_installed_command_is_this_one(shell: Shell) -> None:
    """The script `keyvault-jwt` beside the interpreter says the version of the package."""
    script = Path(sys.executable).with_name("keyvault-jwt")
    done = subprocess.run(
        [script, "--version"], env=shell.environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == shell.run("--version").stdout
    assert done.stdout.startswith("keyvault-jwt ")


def test_exit_statuses_are_those_promised(shell: Shell, tmp_path: Path) -> None:
    """0 done, 1 failed, 2 wrong usage, 3 a gate, 4 the store can't be reached."""
    shell.run("create", "payments", "--issuer", ISSUER, status=0)
    shell.run("create", "payments", "--issuer", ISSUER, status=1)
    shell.run("create", status=2)
    shell.run("rollback", "payments", status=3)
    (tmp_path / "file").touch()
    done = shell.run("create", "x", "--issuer", ISSUER, "--store", f"file:{tmp_path}/file/keys", status=None)
    assert done.returncode in {1, 4}
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    shell.run("create", "x", "--issuer", ISSUER, "--store", f"file:{open_to_all}", status=4)


def test_messages_never_reach_stdout(shell: Shell) -> None:
    """Making a store says much on stderr; stdout is one line of JSON, and an error leaves it empty."""
    made = shell.run("create", "payments", "--issuer", ISSUER, "--json")
    assert len(made.stdout.splitlines()) == 1
    json.loads(made.stdout)
    assert all(json.loads(line)["note"] for line in made.stderr.splitlines())
    refused = shell.run("show", "nothing", status=1)
    assert refused.stdout == ""
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("kid", ["-dash-kid-0001", "--dashes-0001", "-----------"])
def test_a_kid_may_begin_with_a_dash(shell: Shell, kid: str) -> None:
    """base64url has dashes, and a kid, or its prefix, works without `--`."""
    key = ECKey.generate_key("P-256", {"kid": kid, "alg": "ES256"}).as_dict(private=True)
    shell.run("import", "payments", "--file", "-", "--issuer", ISSUER, stdin=json.dumps(key))
    # Status 3: the key is known, but an imported one has no standby that is ready yet.
    shell.run("rotate", "payments", "--replacing", kid, status=3)
    told = shell.json("revoke", "payments", kid[:10], "--reason", "-leaked-", status=3)
    assert told["revocation"]["kid"] == kid


def test_a_terminal_gets_colours_and_nobody_else(shell: Shell, on_screen: Callable[..., str]) -> None:
    """On a terminal lanes are coloured, unless NO_COLOR is set; in a pipe they never are."""
    shell.run("create", "payments", "--issuer", ISSUER)
    assert "\x1b[" in on_screen("show", "payments")
    assert "\x1b[" not in on_screen("show", "payments", NO_COLOR="1")
    assert "\x1b[" not in shell.run("show", "payments", TERM="xterm-256color").stdout


def test_the_lanes_take_the_terminals_width(shell: Shell, on_screen: Callable[..., str]) -> None:
    """A wide terminal gets wide lanes."""
    shell.run("create", "payments", "--issuer", ISSUER)
    lanes = [line for line in on_screen("show", "payments", NO_COLOR="1").splitlines() if "│" in line]
    assert max(map(len, lanes)) == 100


@pytest.mark.parametrize("words", [["show"], ["plan"], ["policy"]])
def test_an_ascii_terminal_gets_ascii(shell: Shell, words: list[str]) -> None:
    """Where the encoding has no block characters and no ≥, plain ones stand for them."""
    shell.run("create", "payments", "--issuer", ISSUER)
    done = shell.run(*words, "payments", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.stdout.isascii()
    assert "?" not in done.stdout


def test_a_reader_that_goes_away_is_no_fault(shell: Shell) -> None:
    """When the pipe is closed early, nothing is said about it."""
    shell.run("create", "payments", "--issuer", ISSUER)
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        [sys.executable, "-m", "keyvault_jwt", "plan", "payments"],
        env=shell.environment,
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(theirs)
    assert done.stderr == ""


def test_no_private_half_is_ever_written(shell: Shell, tmp_path: Path) -> None:
    """After a life with every command, no output holds a member of a private key."""
    shell.run("create", "payments", "--issuer", ISSUER)
    shell.run("export", "payments", "--private", "--out", str(tmp_path / "before"))
    first = shell.json("rotate", "payments")["active"]
    shell.run("revoke", "payments", first, "--reason", "drill", status=None)
    for words in (
        *("list", "doctor", "reconcile --all", "plan payments", "show payments", "policy payments"),
        *("jwks payments", "export payments", "token sign payments", "recover payments"),
        *("migrate payments --to Ed25519", "rotate payments --emergency", "nonsense", "access signer"),
    ):
        for json_too in ([], ["--json"]):
            shell.run(*words.split(), *json_too, status=None, KEYVAULT_JWT_DEBUG="1")
    shell.run("export", "payments", "--private", "--out", str(tmp_path / "after"))
    keys = [key for name in ("before", "after") for key in json.loads((tmp_path / name).read_text())["keys"]]
    secrets = {key["d"] for key in keys if "d" in key}
    assert len(secrets) >= 5
    written = "\n".join(shell.written)
    assert [secret for secret in secrets if secret in written] == []


def test_the_master_key_is_never_written(shell: Shell, tmp_path: Path) -> None:
    """Neither the made key, nor one given by the environment, nor a malformed one, is repeated."""
    shell.run("create", "payments", "--issuer", ISSUER)
    (path,) = (tmp_path / "state").rglob("*.key")
    key = path.read_text().strip()
    for given in (key, "A" + key[1:], key + "x"):
        for words in (["doctor"], ["show", "payments"], ["rotate", "payments"]):
            shell.run(*words, status=None, KEYVAULT_JWT_MASTER_KEY=given, KEYVAULT_JWT_DEBUG="1")
            assert key[1:] not in "\n".join(shell.written)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let processes be interrupted though this one was started in the background, where shells forbid it."""
    was = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, was)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_a_run_quietly(shell: Shell) -> None:
    """A run that waits for stdin ends with 130 and no traceback."""
    process = shell.start("token", "inspect", stdin=subprocess.PIPE)
    _until(lambda: _reads_stdin(process.pid))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130, said
    assert "Traceback" not in said


def _reads_stdin(pid: int) -> bool:
    """Whether the process has come as far as waiting for its input: a `read` of descriptor 0 (Linux)."""
    try:
        return Path(f"/proc/{pid}/syscall").read_text().split()[1:2] == ["0x0"]
    except PermissionError:  # a kernel that shows this to root alone
        return Path(f"/proc/{pid}/wchan").read_text().startswith(("pipe_", "anon_pipe"))


def _until(wanted: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_scheduler_rotates_until_it_is_told_to_end(shell: Shell) -> None:
    """It says when it runs, tells each change on stderr, and ends with 0 on SIGTERM."""
    shell.run("create", "payments", "--issuer", ISSUER, *SECONDS)
    process = shell.start("scheduler", "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["ready"] is True
    for line in process.stderr:
        event = json.loads(line)
        if event.get("event") == "keyring.promoted":
            break
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert rest == ""
    assert event["facts"]["kid"] in shell.run("show", "payments", "--json").stdout


def test_nothing_asks_without_a_terminal(shell: Shell) -> None:
    """With stdin closed every command ends by itself."""
    shell.run("create", "payments", "--issuer", ISSUER)
    assert shell.run("token", "inspect", status=1).stderr
    assert shell.run("import", "x", "--file", "-", "--alg", "ES256", "--issuer", ISSUER, status=1).stderr
