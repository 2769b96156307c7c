"""The policies as they are printed and shipped."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files

import pytest
from click.testing import CliRunner

from keyvault_jwt.cli import main
from keyvault_jwt.cli.access import ROLES
from keyvault_jwt.errors import BadRingName, BadStoreURL, UsageError
from keyvault_jwt_vault import access
from tests.docs.markdown import ROOT
from tests.vault.policies.conftest import printed

TRANSIT = ("transit-rotator", "transit-signer")


@pytest.mark.parametrize("role", ROLES)
def test_deploy_has_what_is_printed(role: str) -> None:
    """The files under deploy/vault are those of `vault://secret/jwt`, to the byte."""
    assert (ROOT / "deploy" / "vault" / f"{role}.hcl").read_text() == printed(role, "vault://secret/jwt")


def test_templates_are_data_of_the_package() -> None:
    """Every template is found where the wheel has it, one for each role and no stranger."""
    names = {item.name for item in files("keyvault_jwt_vault").joinpath("policies").iterdir()}
    assert names == {f"{part}.hcl" for part in (*ROLES, "listing", "symmetric", "token", *TRANSIT)}


def test_mount_prefix_and_ring_are_those_of_the_url() -> None:
    """A mount with a slash, a deep prefix and a named ring come out as KV paths, and no others."""
    policy, _ = access("signer", "vault://team%2Fkv/a/b?auth=approle", "payments")
    assert [line for line in policy.splitlines() if "team" in line] == [
        'path "team/kv/data/a/b/payments/signing" {'
    ]
    bare, _ = access("publisher", "vault://secret", "*")
    assert 'path "secret/metadata/" {' in bare
    assert 'path "secret/data/+/public" {' in bare


def test_notes_tell_how_to_apply_it(environment: None) -> None:
    """stderr names the command, the environment and the namespace; stdout is the policy alone."""
    words = ["access", "verifier", "--store", "vault://secret/jwt?namespace=team"]
    done = CliRunner().invoke(main, words)
    assert "bao policy write keyvault-jwt-verifier -" in done.stderr
    assert "the namespace team" in done.stderr
    assert "symmetric keyrings are left out" in done.stderr
    assert "verification" not in done.stdout


def test_a_keyrings_policy_has_a_name_of_its_own(environment: None) -> None:
    """Applied as told, the policy of one keyring replaces neither another's nor the one for all."""
    told = {
        access("signer", "vault://secret/jwt", ring)[1][0].partition(" | ")[2] for ring in ("*", "a", "b")
    }
    assert len(told) == 3
    assert "bao policy write keyvault-jwt-signer-a -" in told


def test_nothing_is_said_for_what_is_no_role_or_no_store() -> None:
    """A role or a URL that is not known is refused."""
    with pytest.raises(UsageError, match="the roles are"):
        access("king", "vault://secret/jwt", "*")
    with pytest.raises(BadStoreURL):
        access("signer", 'vault://secret/j"wt', "*")


def test_no_keyring_nor_prefix_is_called_as_archives_are() -> None:
    """`archive-*` reaches over slashes: a keyring of such a name below would be granted as one of them."""
    with pytest.raises(BadRingName, match="archive-keys"):
        access("auditor", "vault://secret/jwt/team", "archive-keys")
    with pytest.raises(BadStoreURL):
        access("auditor", "vault://secret/jwt/archive-1", "*")
    assert access("auditor", "vault://secret/jwt/archives", "archive")


def test_missing_sdk_names_the_extra() -> None:
    """Where hvac is not installed, `access` says which extra to install."""
    script = (
        "import sys; sys.modules.update(hvac=None)\n"
        "from keyvault_jwt.cli import main\n"
        "main(['access', 'signer', '--store', 'vault://secret/jwt'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "keyvault-jwt[vault]" in done.stderr


def test_a_url_with_credentials_is_not_repeated() -> None:
    """A token that somebody wrote into the URL is refused, not printed."""
    words = ["access", "signer", "--store", "vault://secret/jwt?token=hvs.abc", "--json"]
    done = CliRunner().invoke(main, words)
    assert '"code": "bad_store_url"' in done.stderr
    assert "hvs.abc" not in done.stdout + done.stderr
