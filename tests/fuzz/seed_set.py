"""Valid key sets, as issuers publish them: what the mutation of key sets begins with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from keyvault_jwt import jwk
from tests.fuzz.holder import Holder

Members = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SeedSet:
    """A valid set: its JWKs, and each one's holder in the same order."""

    name: str
    keys: tuple[Members, ...]
    holders: tuple[Holder, ...]
    symmetric: bool = False

    @property
    def data(self) -> bytes:
        """The set as it is published."""
        return json.dumps({"keys": self.keys}).encode()


def seed_sets(holders: dict[str, Holder]) -> tuple[SeedSet, ...]:
    """Return sets as we publish them, as strangers do, of one key, and of secrets."""
    public = [each for each in holders.values() if each.members["kty"] != "oct"]
    secrets = [each for each in holders.values() if each.members["kty"] == "oct"]
    alone = [holders[name] for name in ("Ed25519-0", "ES256-1", "RSA-a", "ML-DSA-44-4")]
    return (
        _set("ours", public, _as_ours),
        _set("strangers", public, _as_strangers),
        _set("one-kid", alone, lambda it, _: {**it.members, "kid": "the-kid"}),
        *(_set(f"lone-{it.name}", [it], lambda it, _: dict(it.members)) for it in alone),
        _set("secrets", secrets, _as_secrets, symmetric=True),
    )


def _set(name: str, holders: list[Holder], spell: Any, *, symmetric: bool = False) -> SeedSet:
    keys = tuple(spell(each, number) for number, each in enumerate(holders))
    return SeedSet(name, keys, tuple(holders), symmetric)


def _as_ours(holder: Holder, number: int) -> Members:
    algorithm = holder.algorithms[number % len(holder.algorithms) if len(holder.algorithms) > 2 else 0]
    return {**holder.members, "kid": jwk.thumbprint(holder.members), "alg": algorithm, "use": "sig"}


def _as_strangers(holder: Holder, number: int) -> Members:
    stated = {"alg": "EdDSA"} if holder.members["kty"] == "OKP" else {}
    return {**holder.members, "kid": f"key {number} é", "key_ops": ["verify"], "x5t": "AAAA", **stated}


def _as_secrets(holder: Holder, number: int) -> Members:
    return {**holder.members, "kid": f"secret-{number}", "alg": SECRETS[number]}


SECRETS = ("HS512", "HS384", "HS256")
"""The algorithms of the secrets, in order: the short one is for HS256."""
