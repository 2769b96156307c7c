"""Wycheproof's JWK and JWE files through the whole verifier: which keys serve, and no JWE ever."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.verification_errors import (
    AmbiguousKey,
    EncryptedToken,
    InvalidSignature,
    InvalidToken,
    MalformedToken,
    UnknownKey,
    UnusableKey,
)
from keyvault_jwt.verifier import Verifier

from .published import Case, wycheproof

HMAC: Final = ["HS256", "HS384", "HS512"]
PUBLIC: Final = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"]

REASONS: Final[dict[int, tuple[type[InvalidToken], str | None]]] = {
    1: (UnknownKey, "asymmetric"),
    3: (InvalidSignature, None),
    4: (UnknownKey, "base64url"),
    6: (UnknownKey, "use"),
    7: (UnknownKey, "generator"),
    8: (UnusableKey, None),
    9: (UnknownKey, "exponent"),
    **dict.fromkeys((10, 11, 12), (UnknownKey, "bytes or more")),
    **dict.fromkeys((16, 17, 18), (UnknownKey, "out of bounds")),
    **dict.fromkeys((19, 20, 25, 26), (UnknownKey, "no signature algorithm")),
    21: (UnknownKey, "use"),
    22: (UnknownKey, "curve"),
    23: (UnknownKey, "32 bytes, not 48"),
    24: (UnknownKey, "'n'"),
}
"""For each bad case, the error and, where a key was left out of its set, a word of the reason."""


@pytest.mark.parametrize("case", wycheproof("jose/json_web_key_test.json"))
def test_json_web_key(case: Case) -> None:
    """A JWS is accepted by the key sets that may vouch for it, and refused by others for the known reason."""
    document = case.group.get("public") or case.group["private"]
    cache = JWKSCache.from_document(document, allow_symmetric=True)
    symmetric = any(key["kty"] == "oct" for key in document["keys"])
    verifier = Verifier(cache, issuer=None, audience=None, algorithms=HMAC if symmetric else PUBLIC)
    if case.test["result"] == "valid":
        assert verifier.verify_signature(case.test["jws"])[1] == b"foo"
        return
    error, reason = REASONS[case.test["tcId"]]
    with pytest.raises(error):
        verifier.verify_signature(case.test["jws"])
    skipped = [key.reason for key in cache.health().skipped]
    assert any(reason in why for why in skipped) if reason else not skipped


def test_duplicate_kid_with_two_good_keys() -> None:
    """The file's two keys of one kid, the second one spelt right, can't be told apart."""
    (case,) = (
        p.values[0] for p in wycheproof("jose/json_web_key_test.json") if p.values[0].test["tcId"] == 4
    )
    first, second = case.group["private"]["keys"]
    document = {"keys": [first, second | {"k": second["k"][:-1] + "c"}]}
    cache = JWKSCache.from_document(document, allow_symmetric=True)
    verifier = Verifier(cache, issuer=None, audience=None, algorithms=HMAC)
    assert not cache.health().skipped
    with pytest.raises(AmbiguousKey):
        verifier.verify_signature(case.test["jws"])


@pytest.mark.parametrize("case", wycheproof("jose/json_web_encryption_test.json"))
def test_json_web_encryption(case: Case) -> None:
    """No JWE is taken, good or bad, even with its key in the set; what is one is called one."""
    key: dict[str, Any] = case.group["private"]
    document = msgspec.json.encode({"keys": [key, key | {"use": "sig", "alg": "HS256"}]})
    cache = JWKSCache.from_document(document, allow_symmetric=True)
    jwe = case.test["jwe"]
    for algorithms in (HMAC, PUBLIC):
        verifier = Verifier(cache, issuer=None, audience=None, algorithms=algorithms)
        for refuse in (verifier.verify, verifier.verify_signature):
            with pytest.raises(EncryptedToken if jwe.count(".") == 4 else MalformedToken):
                refuse(jwe)
