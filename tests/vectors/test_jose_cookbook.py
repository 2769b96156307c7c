"""The JOSE cookbook (RFC 7520, RFC 7797, RFC 8037): its signed examples pass, all others are refused."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from keyvault_jwt import base64url, jwks
from keyvault_jwt.algorithms import algorithm_named
from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.engine import CRYPTOGRAPHY, Engine
from keyvault_jwt.jwk import Secret, SigningKey
from keyvault_jwt.verification_errors import (
    EncryptedToken,
    InvalidSignature,
    InvalidToken,
    MalformedToken,
    UnsupportedHeader,
)
from keyvault_jwt.verifier import Verifier
from tests.engines import each_engine

from .published import cookbook, public, read

JWS = [*cookbook("jws"), pytest.param(read("jose-cookbook/curve25519/jws.json"), id="curve25519-jws")]
JWE = [*cookbook("jwe"), pytest.param(read("jose-cookbook/curve25519/ecdh-es.json"), id="curve25519-ecdh-es")]
NESTED = read("jose-cookbook/6.nesting_signatures_and_encryption.json")
FORMS = ("json", "json_flat")


def verifier_for(example: dict[str, Any], engine: Engine = CRYPTOGRAPHY) -> Verifier:
    """Return a verifier with the example's keys, and its algorithm as the allow-list."""
    keys = example["input"]["key"]
    document = {"keys": [public(key) for key in (keys if isinstance(keys, list) else [keys])]}
    algorithms = example["input"]["alg"]
    return Verifier(
        JWKSCache.from_document(document, allow_symmetric=True),
        issuer=None,
        audience=None,
        algorithms=algorithms[:1] if isinstance(algorithms, list) else [algorithms],
        engine=engine,
    )


def compact_ones(examples: list[Any]) -> list[Any]:
    """Return the examples that have a compact form with its payload."""
    return [one for one in examples if one.values[0]["output"].get("compact", "..").split(".")[1]]


@each_engine
@pytest.mark.parametrize("example", compact_ones(JWS))
def test_signed_example(example: dict[str, Any], engine: Engine) -> None:
    """The compact form is accepted with the example's own key; one altered character is not."""
    verifier, token = verifier_for(example, engine), example["output"]["compact"]
    header, payload = verifier.verify_signature(token)
    assert header == example["signing"]["protected"]
    assert payload == example["input"]["payload"].encode()
    signing_input, _, signature = token.rpartition(".")
    with pytest.raises(InvalidSignature):
        verifier.verify_signature(f"{signing_input}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("example", JWS)
def test_json_serialisation_of_a_signature(example: dict[str, Any], form: str) -> None:
    """The same examples in a JSON serialisation are refused."""
    if form in example["output"]:
        with pytest.raises(MalformedToken):
            verifier_for(example).verify_signature(json.dumps(example["output"][form]))
    else:
        assert example["title"] == "Multiple Signatures"


def test_detached_content() -> None:
    """A JWS without its payload is refused, and accepted once the payload is put back (RFC 7515 app. F)."""
    example = read("jose-cookbook/jws/4_5.signature_with_detached_content.json")
    verifier, token = verifier_for(example), example["output"]["compact"]
    with pytest.raises(InvalidSignature):
        verifier.verify_signature(token)
    whole = token.replace("..", f".{base64url.encode(example['input']['payload'].encode())}.")
    assert verifier.verify_signature(whole)[1] == example["input"]["payload"].encode()


def private_key(members: dict[str, Any]) -> SigningKey:
    """Return the private key of a JWK, by `cryptography` alone."""
    if members["kty"] == "oct":
        return Secret(base64url.decode(members["k"]))
    if members["kty"] == "OKP":
        return ed25519.Ed25519PrivateKey.from_private_bytes(base64url.decode(members["d"]))
    n, e, d, p, q, dp, dq, qi = (
        int.from_bytes(base64url.decode(members[name]), "big")
        for name in ("n", "e", "d", "p", "q", "dp", "dq", "qi")
    )
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, rsa.RSAPublicNumbers(e, n)).private_key()


@pytest.mark.parametrize("example", [one for one in compact_ones(JWS) if one.values[0].get("reproducible")])
def test_reproducible_signature(example: dict[str, Any]) -> None:
    """Our signer makes the very bytes that the example shows."""
    row = algorithm_named(example["input"]["alg"], verifying=True)
    sign = row.signer(private_key(example["input"]["key"]))
    signature = sign(example["signing"]["sig-input"].encode())
    assert base64url.encode(signature) == example["signing"]["sig"]


@pytest.mark.parametrize("members", cookbook("jwk"))
def test_json_web_key(members: dict[str, Any]) -> None:
    """Public keys enter a set; private ones and secrets don't, unless secrets are asked for and may sign."""
    document = msgspec.json.encode({"keys": [members]})
    secret = members["kty"] == "oct"
    private = "d" in members or secret
    codes = [skipped.code for skipped in jwks.parse(document).skipped]
    for_encryption = members["use"] == "enc"
    assert codes == (["key_refused"] if for_encryption else ["private_member"] if private else [])
    taken = jwks.parse(document, allow_symmetric=True).keys
    assert [key.kid for key in taken] == ([] if "d" in members or for_encryption else [members["kid"]])


@pytest.mark.parametrize("form", ["compact", *FORMS])
@pytest.mark.parametrize("example", JWE)
def test_encrypted_example(example: dict[str, Any], form: str) -> None:
    """No encrypted example is taken in any serialisation that it has."""
    found = example["output"].get(form)
    if found is None:
        assert form != "json"
        return
    verifier = Verifier(
        JWKSCache.from_document({"keys": []}), issuer=None, audience=None, algorithms=["RS256"]
    )
    token = found if form == "compact" else json.dumps(found)
    with pytest.raises(EncryptedToken if form == "compact" else MalformedToken):
        verifier.verify_signature(token)


@each_engine
def test_nested_example(engine: Engine) -> None:
    """The signed inside of the nested example passes; the encrypted outside is refused."""
    verifier = verifier_for(NESTED["sign"], engine)
    signed = NESTED["sign"]["output"]["compact"]
    assert verifier.verify_signature(signed)[1] == NESTED["sign"]["input"]["payload"].encode()
    for form, outside in NESTED["encrypt"]["output"].items():
        with pytest.raises(EncryptedToken if form == "compact" else MalformedToken):
            verifier.verify(outside if form == "compact" else json.dumps(outside))


@pytest.mark.parametrize("example", cookbook("rfc7797"))
def test_unencoded_payload(example: dict[str, Any]) -> None:
    """`b64` is an extension that we don't have: refused in every form, with `crit` and without."""
    verifier, output = verifier_for(example), example["output"]
    for form in FORMS:
        with pytest.raises(MalformedToken):
            verifier.verify_signature(json.dumps(output[form]))
    parts = output["json_flat"]
    with pytest.raises(InvalidToken):
        verifier.verify_signature(f"{parts['protected']}.{parts['payload']}.{parts['signature']}")
    encoded = base64url.encode(parts["payload"].encode())
    for token in filter(
        None, (output.get("compact"), f"{parts['protected']}.{encoded}.{parts['signature']}")
    ):
        with pytest.raises(UnsupportedHeader):
            verifier.verify_signature(token)
