"""Logins whose tokens live for 2 s: the fleet rotates on and on, and the server sees no storm."""

from __future__ import annotations

import time

from tests.vault.fleet.conftest import Roles
from tests.vault.fleet.works import Works
from tests.vault.store.fault_proxy import FaultProxy

TTL = 2.0
SESSIONS = 3


def test_tokens_of_two_seconds(roles: Roles, proxy: FaultProxy) -> None:
    """Two rotations take many token lives; each login is renewed or replaced ahead, and no faster."""
    life = {"token_ttl": f"{TTL}s", "token_max_ttl": "5s"}
    began = time.monotonic()
    with Works(*(roles.login(role, **life) for role in ("rotator", "signer", "publisher"))) as works:
        works.goes_on()
        works.goes_on()
        elapsed = time.monotonic() - began
        requests = list(proxy.requests)
    logins = sum(1 for request in requests if request.endswith("auth/approle/login"))
    renewals = sum(1 for request in requests if request.endswith("auth/token/renew-self"))
    assert elapsed > 3 * TTL, "no token ended: the test proves nothing"
    assert logins > SESSIONS, "no token met its max TTL: the test proves nothing"
    assert renewals > 0
    # A token is due at 60 % of its TTL at the earliest, and at that of what the max TTL leaves.
    assert logins + renewals <= SESSIONS * (1 + elapsed / (0.6 * TTL) * 2)
    assert not works.failures()
    assert not works.unsigned
    works.require_all_accepted()
