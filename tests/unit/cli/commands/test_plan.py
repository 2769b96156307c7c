"""`plan`: every rule in numbers, and a status that a check can use."""

from __future__ import annotations

import msgspec

from keyvault_jwt import document
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.store_url import open_store
from tests.unit.cli.conftest import Cli


def test_every_rule_has_both_sides_and_its_slack(cli: Cli) -> None:
    """Each check carries number, name, formula, left, right, slack and earliest safe time."""
    cli.create()
    plan = cli.json("plan", "payments")
    assert {"I1", "I5", "I6"} <= {check["invariant"] for check in plan["checks"]}
    for check in plan["checks"]:
        assert {"name", "kid", "formula", "left", "right", "slack", "holds", "earliest"} <= set(check)
    capacity = plan["checks"][0]
    assert (capacity["left"], capacity["holds"], capacity["slack"][0]) == ("30d", True, "2")
    assert plan["broken"] == []


def test_waiting_is_no_failure(cli: Cli) -> None:
    """A standby that waits out its lead is shown with its earliest safe time, and the status is 0."""
    active = cli.create()["active"]
    cli.run("revoke", "payments", active, "--reason", "drill")
    shown = cli.run("plan", "payments", status=0).stdout
    assert "wait    I1" in shown
    assert "safe from 20" in shown


def test_a_rule_that_no_waiting_mends_has_status_three(cli: Cli) -> None:
    """A keyring whose policy breaks I6 is shown whole, then fails with the numbers."""
    cli.create()
    store, name = open_store(cli.store), DocumentName("payments", DocumentKind.AUTHORITY)
    found = store.read(name)
    assert found is not None
    keyring = document.decode_authority("payments", found.draft.data)
    broken = msgspec.structs.replace(keyring, policy=RotationPolicy(rotate_every="2h"))
    store.replace(name, document.authority_draft(broken), expected=found.version)
    result = cli.run("plan", "payments", status=3)
    assert "broken  I6   capacity" in result.stdout
    assert "i6_capacity" in result.stderr
    assert "I6" in cli.json("plan", "payments", status=3)["broken"]


def test_nothing_is_written(cli: Cli) -> None:
    """Looking changes no revision."""
    before = cli.create()["revision"]
    assert cli.json("plan", "payments")["revision"] == before == cli.json("plan", "payments")["revision"]
