"""Engines: each has bindings of its own, which equal ones share."""

from __future__ import annotations

from collections.abc import Callable

from keyvault_jwt import base64url, jwks
from keyvault_jwt.algorithms import ALGORITHMS, Algorithm, Verify
from keyvault_jwt.engine import CRYPTOGRAPHY, Cryptography
from keyvault_jwt.jwk import VerificationKey
from keyvault_jwt.keyset import KeySet

from .conftest import TestKey, jwk_set

MakeKey = Callable[..., TestKey]
ES256 = ALGORITHMS["ES256"]


class Refusing:
    """An engine that takes no signature."""

    def verifier(self, algorithm: Algorithm, key: VerificationKey) -> Verify:
        """Return the refusal."""
        return lambda signature, data: False


def test_engines_share_no_binding(make_key: MakeKey) -> None:
    """A key is bound once for each engine: what one has bound, another one never gets."""
    key, refusing = make_key("ES256", 0), Refusing()
    signing_input, _, signature = key.token({}).rpartition(".")
    signed = base64url.decode(signature), signing_input.encode()
    keys = KeySet(jwks.parse(jwk_set(key.jwk())).keys)
    for engine, good in ((CRYPTOGRAPHY, True), (refusing, False), (Cryptography(), True), (refusing, False)):
        found = keys.find(key.kid, ES256, engine)
        assert found is not None
        assert found.verify(*signed) is good
    assert keys.find(key.kid, ES256, refusing) is keys.find(key.kid, ES256, refusing)
    assert keys.find(key.kid, ES256, Cryptography()) is keys.find(key.kid, ES256)
