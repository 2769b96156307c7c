"""A quota on requests that is less than the fleet asks for."""

from __future__ import annotations

import keyvault_jwt as kj
from keyvault_jwt.store import DocumentKind, DocumentName, DocumentStore
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault.errors import RateLimited
from keyvault_jwt_vault.session import MAX_TRIES
from tests.vault.fleet.works import Works
from tests.vault.store.fault_proxy import FaultProxy
from tests.waiting import until

QUOTA = "sys/quotas/rate-limit/fleet"
NOBODY = DocumentName("nobody", DocumentKind.PUBLIC)


def test_quota_on_requests(bao: BaoServer, proxy: FaultProxy, prefix_url: str) -> None:
    """Under a tight quota rotations get done; under a hopeless one the error is typed, after few tries."""
    with Works(prefix_url) as works, kj.open_store(prefix_url) as asking:
        until(lambda: works.accepted)
        assert asking.read(NOBODY) is None
        assert 429 not in proxy.statuses
        bao.request("POST", QUOTA, {"rate": 8, "interval": "1s", "path": "secret/"})
        works.goes_on()
        assert 429 in proxy.statuses, "the quota was not felt: the test proves nothing"
        before = works.keyring
        bao.request("POST", QUOTA, {"rate": 1, "interval": "20s", "path": "secret/"})
        until(lambda: _is_limited(asking))  # the quota begins with a request to spare
        asked = len(proxy.requests)
        assert _is_limited(asking)
        assert sum("/nobody/" in request for request in proxy.requests[asked:]) <= MAX_TRIES
        until(lambda: works.unsigned["signer_lease_expired"])
        assert set(works.unsigned) == {"signer_lease_expired"}
        bao.request("DELETE", QUOTA)
        works.goes_on()
        assert set(works.failures()) <= {"vault_rate_limited"}
        assert {record.kid for record in before.records} <= {record.kid for record in works.keyring.records}
        works.require_all_accepted()


def _is_limited(store: DocumentStore) -> bool:
    try:
        store.read(NOBODY)
    except RateLimited:
        return True
    return False
