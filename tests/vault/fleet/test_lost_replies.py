"""Answers that are lost after the server has carried out the write."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from keyvault_jwt.testing.bao_server import BaoServer
from tests.vault.fleet.works import POLICY, Works
from tests.vault.store.fault_proxy import Breaks, FaultProxy

SENDINGS = 1000
FOUNDING = 1 + POLICY.standbys


def test_rotations_whose_replies_are_lost(bao: BaoServer, proxy: FaultProxy, prefix_url: str) -> None:
    """Every second write's answer is lost; the scheduler finds out that it won, and makes no key twice."""
    with Works(prefix_url) as works:
        asked = proxy.count("POST")
        proxy.next("POST", *[Breaks(carried_out=True), None] * SENDINGS)
        works.goes_on()
        works.goes_on()
        writes = [request for request in proxy.requests if request.startswith("POST ")][asked:]
        lost = [path for path in writes[::2] if path.endswith("/authority")]
        assert len(lost) > 1, "no commit's answer was lost: the test proves nothing"
        keyring, rotations = works.keyring, works.rotations()
        added = Counter(entry.kid for entry in keyring.ledger.entries if entry.action == "added")
        assert set(added.values()) == {1}
        assert len(added) <= FOUNDING + len(rotations)
        assert len(keyring.standbys(keyring.algorithm)) <= POLICY.standbys
        gaps = [later.at - one.at for one, later in pairwise(rotations)]
        assert all(gap >= POLICY.timing(0).rotate_every for gap in gaps)
        won = Counter(event.facts["seq"] for event in works.events if "seq" in event.facts)
        assert set(won.values()) == {1}
        assert {entry.kid for entry in rotations} <= works.rotated()
        assert not works.failures()
        works.require_all_accepted()
