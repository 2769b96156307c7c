"""Storage index: how far a node's storage has come, as OpenBao tells it in `X-Vault-Index`.

A request that comes with one is passed on to the active node by a standby that has not come so
far: https://openbao.org/docs/next/concepts/consistency/.  Vault Enterprise's is of another form.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Final

import msgspec

_NEVER_REACHED: Final = str(2**63 - 1)


class StorageIndex(msgspec.Struct, frozen=True):
    """A cluster, and how far its storage has come."""

    cluster: str
    value: str


_INDEX: Final = msgspec.json.Decoder(StorageIndex)


def parse_index(text: str) -> StorageIndex | None:
    """Return what a header tells; None for another form."""
    try:
        return _INDEX.decode(b64decode(text, validate=True))
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None


def beyond(index: StorageIndex) -> Mapping[str, str]:
    """Return headers by which only the active node answers: no standby ever comes so far."""
    return _forwarded(b64encode(msgspec.json.encode(StorageIndex(index.cluster, _NEVER_REACHED))).decode())


def from_on(text: str) -> Mapping[str, str]:
    """Return headers by which no node answers that lags behind that header; none for another form."""
    index = parse_index(text)
    return _forwarded(text) if index is not None and index.value.isdecimal() else {}


def _forwarded(text: str) -> Mapping[str, str]:
    return {"X-Vault-Index": text, "X-Vault-Inconsistent": "forward-active-node"}
