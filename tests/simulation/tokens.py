"""Tokens: those that signers issued, and those that a thief makes with a key that leaked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta

from keyvault_jwt import base64url, mint
from keyvault_jwt.algorithms import algorithm_named
from keyvault_jwt.clock import Instant
from keyvault_jwt.key_factory import load_private
from tests.simulation.ring import Ring

AUDIENCE = "simulation"


@dataclass(frozen=True, slots=True)
class Token:
    """A token, whose key's it is, and when it expires."""

    ring: Ring
    kid: str
    text: str
    expires: Instant
    issued: Instant
    stolen: bool = False

    @classmethod
    def signed(cls, ring: Ring, kid: str, text: str, now: Instant) -> Token:
        """Return a token that a signer issued."""
        claims = json.loads(base64url.decode(text.split(".")[1]))
        return cls(ring, kid, text, claims["exp"] * 1000, now)

    @classmethod
    def forged(cls, ring: Ring, kid: str, now: Instant) -> Token:
        """Return what a thief makes with the private half of `kid`."""
        algorithm, private = ring.privates[kid]
        issued, hour = now // 1000, timedelta(hours=1)
        payload = mint.claims_set(
            {"aud": AUDIENCE}, issuer=ring.issuer, issued=issued, ttl=hour, longest=3_600_000
        )
        signing_input = mint.header(algorithm, kid) + b"." + base64url.encode_ascii(payload)
        sign = algorithm_named(algorithm).signer(load_private(algorithm, private))
        text = (signing_input + b"." + base64url.encode_ascii(sign(signing_input))).decode("ascii")
        return cls(ring, kid, text, 1000 * issued + 3_600_000, now, stolen=True)
