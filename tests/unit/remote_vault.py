"""A memory store that makes keys and keeps their private halves, as a key service beside a store does."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.errors import StoreUnavailable
from keyvault_jwt.key_factory import FreshKey, LocalKeyFactory, load_private
from keyvault_jwt.remote_signer import RemoteKey
from tests.faulty_store import FaultyStore


class RemoteVault(FaultyStore):
    """Keys by reference `remote/N`, of which it keeps what it is told to keep and what is newer.

    `tellings` are the references of each telling; while `deaf`, a telling fails, and while
    `barren`, no key is made.
    """

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, FreshKey] = {}
        self.made = 0
        self.tellings: list[set[str]] = []
        self.deaf = self.barren = False

    def key_factory(self, ring: str) -> RemoteVault:
        return self

    def make(self, algorithm: str) -> FreshKey:
        if self.barren:
            raise StoreUnavailable("no key is made now")
        fresh = LocalKeyFactory().make(algorithm)
        self.made += 1
        reference = f"remote/{self.made}"
        self.keys[reference] = fresh
        return msgspec.structs.replace(fresh, private=None, reference=reference)

    def require(self, ring: str, reference: str, algorithm: str) -> None:
        if reference not in self.keys:
            raise StoreUnavailable(f"{reference} is none of {ring}'s {algorithm} keys")

    def sign(self, reference: str, algorithm: str, data: bytes) -> bytes:
        private = self.keys[reference].private
        assert private is not None
        return ALGORITHMS[algorithm].signer(load_private(algorithm, private))(data)

    def keep(self, ring: str, keys: Iterable[RemoteKey]) -> None:
        if self.deaf:
            raise StoreUnavailable("nobody hears")
        kept = {key.reference for key in keys if key.reference is not None}
        self.tellings.append(kept)
        lowest = min(map(_number, kept), default=0)
        self.keys = {name: key for name, key in self.keys.items() if _number(name) >= lowest}


def _number(reference: str) -> int:
    return int(reference.partition("/")[2])
