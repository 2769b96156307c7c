"""Keyrings in any state, put together by hand: the policy of seconds, at the instant `NOW`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.keys import KeyRecord, KeyState, new_record
from keyvault_jwt.testing.fake_clock import START
from tests.model.counted_keys import counted_key
from tests.model.scenes import ISSUER, seconds_policy

NOW: Instant = START + 60_000
LEAD: Milliseconds = 3600
RETIRE: Milliseconds = 3800
PRIVATE: Milliseconds = 1700
"""The lengths of the policy of seconds with S = 0."""

_SIGNED = {"published": NOW - 30_000, "token_ttl_max": 2000, "lease_max": 1500}
_USUAL: dict[KeyState, dict[str, Any]] = {
    KeyState.PRE_ACTIVATION: {"published": NOW - 20_000},
    KeyState.ACTIVE: {**_SIGNED, "activated": NOW - 1000},
    KeyState.DEACTIVATED: {
        **_SIGNED,
        "activated": NOW - 8000,
        "deactivated": NOW - 600,
        "stopped": NOW - 500,
    },
    KeyState.COMPROMISED: {**_SIGNED, "activated": NOW - 8000, "compromised": NOW - 600},
    KeyState.DESTROYED: {
        **_SIGNED,
        "activated": NOW - 20_000,
        "destroyed": NOW - 700,
        "removed": NOW - 600,
        "private": None,
    },
}


def made_key(number: int, state: KeyState, algorithm: str = "Ed25519", **changes: Any) -> KeyRecord:
    """Return key `number` as it usually is in a state: long published, just stopped, and so on."""
    record = new_record(counted_key(algorithm, number), NOW - 40_000)
    return msgspec.structs.replace(record, state=state, **(_USUAL[state] | changes))


def made_ring(*records: KeyRecord, **changes: Any) -> Keyring:
    """Return a committed keyring that holds these keys."""
    ring = Keyring(
        ring="ring",
        issuer=ISSUER,
        epoch=START,
        revision=0,
        write_id=UUID(int=0),
        policy=seconds_policy(),
        records=records,
    )
    return ring.replaced(**changes).told(START, "created").committed(UUID(int=1))
