"""`list`: every keyring, whatever state it is in."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Cli


def test_keyrings_are_listed_with_what_matters(cli: Cli) -> None:
    """Name, algorithm, signing key, states and the next step of each."""
    cli.create("payments")
    cli.create("users", "--alg", "Ed25519")
    payments, users = cli.json("list")["keyrings"]
    assert payments["ring"] == "payments"
    assert payments["states"]["pre-activation"] == 2
    assert users["algorithm"] == "Ed25519"
    text = cli.run("list").stdout
    assert "2 standby, 1 signing" in text
    assert users["active"][:8] in text


def test_a_bad_keyring_does_not_hide_the_others(cli: Cli) -> None:
    """One whose document is damaged shows its error's code beside the good ones."""
    for ring in ("good", "bad"):
        cli.create(ring)
    path = Path(cli.store.removeprefix("file:")) / "bad" / "authority.sealed"
    path.write_bytes(path.read_bytes()[:-20])
    bad, good = cli.json("list")["keyrings"]
    assert bad["error"]["code"] == "document_corrupt"
    assert good["active"]
    assert "document_corrupt" in cli.run("list").stdout


def test_an_empty_store_is_said_on_stderr(cli: Cli) -> None:
    """No keyring is no data."""
    result = cli.run("list")
    assert result.stdout == ""
    assert "create" in result.stderr
