"""Policies deleted while a fleet is at work: it says what is missing, and comes back by itself."""

from __future__ import annotations

import urllib.request

import pytest

from keyvault_jwt.errors import StoreDenied
from keyvault_jwt_vault.errors import Denied
from tests.vault.fleet.conftest import Roles
from tests.vault.fleet.works import RING, Works
from tests.waiting import until


def test_policies_deleted_and_written_again(roles: Roles) -> None:
    """Requests are denied by type; good tokens stay good, no lease is stretched, and a rotation follows."""
    with Works(*(roles.login(role) for role in ("rotator", "signer", "publisher"))) as works:
        until(lambda: works.accepted)
        roles.withdraw()
        with pytest.raises(Denied) as denied:
            works.manager.reconcile(RING)
        assert isinstance(denied.value, StoreDenied)
        assert "expired, or lacks read on" in str(denied.value)
        accepted = sum(works.accepted.values())
        with urllib.request.urlopen(works.jwks, timeout=10) as answer:
            assert answer.status == 200, "the last good set is not served"
        until(lambda: sum(works.accepted.values()) > accepted)
        until(lambda: works.unsigned["signer_lease_expired"])
        assert set(works.unsigned) == {"signer_lease_expired"}
        until(lambda: works.failures()["vault_denied"])
        roles.grant()
        works.goes_on()
        assert set(works.failures()) == {"vault_denied"}
        works.require_all_accepted()
