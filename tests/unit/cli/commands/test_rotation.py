"""`reconcile`, `rotate`, `migrate`, `rollback`: another key signs, when it may."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from keyvault_jwt import document
from keyvault_jwt.clock import SystemClock
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.store_url import open_store
from keyvault_jwt.testing import FakeClock
from tests.unit.cli.conftest import ISSUER, SECONDS, Cli


def test_reconcile_does_nothing_twice(cli: Cli) -> None:
    """At rest a pass changes nothing, and says so."""
    cli.create()
    assert cli.json("reconcile", "payments")["changed"] is False
    assert "nothing to do" in cli.run("reconcile", "payments").stdout


def test_reconcile_wants_a_ring_or_all(cli: Cli) -> None:
    """Neither and both are wrong usage."""
    cli.run("reconcile", status=2)
    cli.run("reconcile", "payments", "--all", status=2)


def test_reconcile_all_goes_on_after_a_bad_one(cli: Cli) -> None:
    """Good keyrings are reconciled, and the bad one's error is the run's."""
    for ring in ("bad", "good"):
        cli.create(ring)
    path = Path(cli.store.removeprefix("file:")) / "bad" / "authority.sealed"
    path.write_bytes(path.read_bytes()[:-20])
    bad, good = cli.json("reconcile", "--all", status=1)["keyrings"]
    assert bad["error"]["code"] == "document_corrupt"
    assert good["active"]


def test_rotate_hands_over_and_a_repeat_does_not(cli: Cli) -> None:
    """The named key is replaced once: the same command again finds its work done."""
    first = cli.create()["active"]
    after = cli.json("rotate", "payments", "--replacing", first[:8])
    assert after["active"] != first
    assert cli.json("rotate", "payments", "--replacing", first)["active"] == after["active"]


def test_a_rotation_that_leaves_no_standby_waits_or_is_an_emergency(cli: Cli) -> None:
    """Exit 3 with the earliest time; an emergency takes the last ready standby; then none is ready."""
    cli.create()
    cli.run("rotate", "payments")
    told = cli.error("rotate", "payments", status=3)
    assert told["code"] == "i5_standby"
    assert "wait until 20" in told["fix"]
    second = cli.json("rotate", "payments", "--emergency")["active"]
    assert cli.error("rotate", "payments", "--emergency", status=3)["code"] == "no_ready_key"
    assert cli.json("show", "payments")["keys"][2]["kid"] == second


def test_accepted_refusals_are_told_before(cli: Cli) -> None:
    """stderr says until when which tokens are refused, and then the rotation is made."""
    cli.create()
    for _ in range(2):
        last = cli.json("rotate", "payments", "--emergency")["active"]
    result = cli.run("rotate", "payments", "--emergency", "--accept-refusals")
    assert "refuses every new token" in result.stderr
    assert last not in cli.run("jwks", "payments").stdout.split('"kid"')[1]


def test_a_migration_takes_a_confirmation(cli: Cli) -> None:
    """Keys of both algorithms are published at once; the command to confirm is said."""
    cli.create()
    result = cli.run("migrate", "payments", "--to", "Ed25519")
    assert "migrate payments --to Ed25519 --confirm" in result.stderr
    outcome = cli.json("migrate", "payments", "--to", "Ed25519", "--confirm")
    assert outcome["migration"] == {"to": "Ed25519", "confirmed": True}
    assert cli.run("jwks", "payments").stdout.count('"Ed25519"') >= 2
    assert cli.json("list")["keyrings"][0]["algorithm"] == "ES256"


def test_a_confirmed_migration_signs_once_its_lead_is_over(cli: Cli) -> None:
    """With a policy of seconds the new algorithm takes over by itself."""
    cli.create("payments", *SECONDS)
    cli.run("migrate", "payments", "--to", "Ed25519", "--confirm")
    cli.until(
        "reconcile",
        "payments",
        wanted=lambda outcome: any(e["action"] == "promoted" for e in outcome["entries"]),
    )
    assert cli.json("list")["keyrings"][0]["algorithm"] == "Ed25519"


def test_a_migration_between_symmetric_and_not_is_refused(cli: Cli) -> None:
    """Exit 3: their verifiers read different documents."""
    cli.create()
    assert cli.error("migrate", "payments", "--to", "HS256", status=3)["code"] == "policy_refused"


def test_rollback_puts_the_previous_key_back(cli: Cli) -> None:
    """Inside the window, and never the key it replaced."""
    first = cli.create()["active"]
    cli.run("rotate", "payments")
    assert cli.json("rollback", "payments")["active"] == first
    assert cli.error("rollback", "payments", status=3)["code"] == "rollback_refused"


def test_a_window_that_is_over_refuses(cli: Cli) -> None:
    """After the policy's window the previous key stays where it is."""
    cli.create("users")
    behind = FakeClock(wall=SystemClock().wall() - 5_400_000)
    manager = KeyManager(open_store(cli.store), clock=behind)
    manager.create("payments", issuer=ISSUER)
    kid = manager.rotate("payments").keyring.active
    assert kid is not None
    assert "window" in cli.error("rollback", "payments", status=3)["what"]
    keys = cli.json("show", "payments")["keys"]
    assert [key["kid"] for key in keys if key["state"] == "active"] == [kid.kid]


def test_an_alarm_is_told_on_stderr_and_in_the_outcome(cli: Cli) -> None:
    """A published document that somebody altered at the same revision is repaired, and said aloud."""
    cli.create()
    store, name = open_store(cli.store), DocumentName("payments", DocumentKind.PUBLIC)
    found = store.read(name)
    assert found is not None
    public = document.decode_public("payments", found.draft.data)
    forged = msgspec.structs.replace(public, issuer="https://evil.example")
    store.replace(name, document.derived_draft(DocumentKind.PUBLIC, forged), expected=found.version)
    result = cli.run("reconcile", "payments", "--json")
    (alarm,) = json.loads(result.stdout)["alarms"]
    assert json.loads(result.stderr) == {"note": f"alarm: payments: {alarm}"}
