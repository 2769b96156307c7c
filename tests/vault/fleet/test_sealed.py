"""A server that is sealed while the fleet is at work, and unsealed again."""

from __future__ import annotations

import pytest

from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault.errors import Sealed
from tests.vault.fleet.works import RING, Works
from tests.vault.store.fault_proxy import FaultProxy
from tests.waiting import until


def test_sealed_and_unsealed(bao: BaoServer, proxy: FaultProxy, prefix_url: str) -> None:
    """Sealed is told by type; a signer stops when its lease ends, no good token is refused, no key lost."""
    with Works(prefix_url) as works:
        works.goes_on()
        before = works.keyring
        bao.seal()
        with pytest.raises(Sealed):
            works.manager.reconcile(RING)
        until(lambda: works.unsigned["signer_lease_expired"])
        assert set(works.unsigned) == {"signer_lease_expired"}
        until(lambda: works.failures()["vault_sealed"])
        bao.unseal()
        works.goes_on()
        after = works.keyring
        assert {record.kid for record in before.records} <= {record.kid for record in after.records}
        assert after.ledger.entries[: len(before.ledger.entries)] == before.ledger.entries
        works.require_all_accepted()
