"""`policy`: shown, or changed in part."""

from __future__ import annotations

from tests.unit.cli.conftest import Cli


def test_without_options_it_is_shown_with_what_follows(cli: Cli) -> None:
    """Every parameter, and the three waits that come of them; nothing is written."""
    revision = cli.create()["revision"]
    shown = cli.json("policy", "payments")
    assert shown["policy"]["token_ttl"] == "15m"
    assert shown["lengths"] == {"lead": "2h5m30s", "retire": "1h16m30s", "revocation": "2h5m30s"}
    assert "rotate_every" in cli.run("policy", "payments").stdout
    assert cli.json("plan", "payments")["revision"] == revision


def test_only_what_is_given_changes(cli: Cli) -> None:
    """The rest of the policy stays, and the difference is told."""
    cli.create("payments", "--token-ttl", "10m")
    changed = cli.json("policy", "payments", "--rotate-every", "7d")
    assert changed["changes"] == {"rotate_every": ["30d", "7d"]}
    assert changed["policy"]["token_ttl"] == "10m"


def test_a_shorter_wait_is_told_to_begin_later(cli: Cli) -> None:
    """I8: the older lead counts on until every verifier has let go of it, and the date is said."""
    cli.create()
    result = cli.run("policy", "payments", "--jwks-max-age", "1m")
    assert "jwks_max_age" in result.stdout
    assert "an older policy's lead of 2h5m30s counts too, until 20" in result.stdout
    (older,) = cli.json("policy", "payments")["superseded"]
    assert older["policy"]["jwks_max_age"] == "5m"


def test_a_change_to_what_is_already_so_is_none(cli: Cli) -> None:
    """No revision is spent on it."""
    revision = cli.create()["revision"]
    changed = cli.json("policy", "payments", "--token-ttl", "15m")
    assert changed["changes"] == {}
    assert changed["revision"] == revision


def test_a_broken_rule_is_refused_and_nothing_changes(cli: Cli) -> None:
    """Exit 3 with the numbers."""
    cli.create()
    assert cli.error("policy", "payments", "--rotate-every", "1h", status=3)["code"] == "i6_capacity"
    assert cli.json("policy", "payments")["policy"]["rotate_every"] == "30d"


def test_the_algorithm_is_not_changed_here(cli: Cli) -> None:
    """It takes a migration, so the option is not there."""
    cli.create()
    assert "No such option" in cli.error("policy", "payments", "--alg", "RS256", status=2)["what"]
