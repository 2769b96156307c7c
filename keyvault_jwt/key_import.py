"""Keys coming from elsewhere, and keys going out: PEM, DER and JWK on the outer side."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

from . import base64url, jwk, jwks
from .algorithms import VERIFY_ALIASES, algorithm_named
from .errors import KeyRefused, WrongKeyType
from .jwk import Secret, SigningKey
from .key_factory import FreshKey, load_private, private_bytes, public_half
from .keyring import Keyring

_OBJECT: Final = msgspec.json.Decoder(dict[str, Any])


def import_pem(
    data: bytes, algorithm: str, *, kid: str | None = None, password: bytes | None = None
) -> FreshKey:
    """Return the private key of a PEM file for an algorithm; kid is its RFC 7638 thumbprint if not given.

    Raises `KeyRefused`, `WrongKeyType` or `WeakKey`; no parser's message is passed on, since
    it might quote the key.
    """
    try:
        key = serialization.load_pem_private_key(data, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyRefused(
            "this is no PEM private key that can be opened",
            why="it is malformed, encrypted with another password, or public",
            fix="give PKCS #8, SEC 1 or PKCS #1 PEM of the private key",
        ) from None
    if not isinstance(key, SigningKey):
        raise WrongKeyType(f"{algorithm} can't use this type of private key")
    return _fresh(key, algorithm, kid, stated=None)


def import_jwk(data: bytes, algorithm: str | None = None) -> FreshKey:
    """Return the key of a private (or `oct`) JWK; its `kid` and `alg` count if it has them.

    Raises `KeyRefused`, `KeyMismatch` when the halves differ, `WrongKeyType` or `WeakKey`.
    """
    members = _json_object(data)
    if members is None:
        raise KeyRefused("this is no JSON Web Key", fix="give one JSON object")
    alg, kid = members.get("alg", algorithm), members.get("kid")
    if isinstance(alg, str):
        alg = VERIFY_ALIASES.get(alg, alg)  # an older name of the same algorithm (RFC 9864)
    if not isinstance(alg, str) or (algorithm is not None and alg != algorithm):
        raise WrongKeyType("the JWK's alg is missing or another one", fix="name the algorithm it is for")
    if kid is not None and not isinstance(kid, str):
        raise KeyRefused("the JWK's kid is not text")
    key = _private_of(members)
    stated = None if isinstance(key, Secret) else jwk.public_members(jwk.load(members))
    return _fresh(key, alg, kid, stated)


def exported(keyring: Keyring, *, private: bool) -> list[dict[str, Any]]:
    """Return every key that still exists as a JWK, with its state; private halves only if asked."""
    keys: list[dict[str, Any]] = []
    for record in keyring.records:
        if record.public is None and not private:
            continue
        members: dict[str, Any] = dict(record.public or {})
        if private and record.private is not None:
            members |= _private_members(load_private(record.algorithm, record.private))
        if members:
            labels = {"kid": record.kid, "alg": record.algorithm, "use": "sig"}
            keys.append(members | labels | {"keyvault_jwt_state": record.state.value})
    return keys


def _json_object(data: bytes) -> dict[str, Any] | None:
    """Return the JSON object; None for anything else, since a decoding error carries the text it is about."""
    try:
        return _OBJECT.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _fresh(key: SigningKey, algorithm: str, kid: str | None, stated: dict[str, str] | None) -> FreshKey:
    row = algorithm_named(algorithm)
    half = public_half(key)
    row.check(half)
    if kid is not None and not (0 < len(kid) <= 256 and kid.isprintable()):
        raise KeyRefused("a kid has 1 to 256 characters, all of them printable")
    if isinstance(half, Secret):
        if kid is None:
            raise KeyRefused("a symmetric key needs a kid", fix="name one that says nothing of the key")
        return FreshKey(kid=kid, algorithm=row.name, public=None, private=private_bytes(key))
    derived = jwk.public_members(half)
    if stated is not None:
        jwk.require_same(stated, derived)
    kid = kid or jwk.thumbprint(derived)
    _require_verifiable(jwks.published(kid, row.name, derived))
    return FreshKey(kid=kid, algorithm=row.name, public=derived, private=private_bytes(key))


def _require_verifiable(public: dict[str, str]) -> None:
    """Raise `KeyRefused` for a key that verifiers leave out of a set: its tokens would be refused."""
    for skipped in jwks.parse(jwks.render([public], origin=None)).skipped:
        raise KeyRefused("verifiers would not take this key", why=skipped.reason, fix="import another key")


def _private_of(members: dict[str, Any]) -> SigningKey:
    half = jwk.load(members)
    if isinstance(half, Secret):
        return half
    try:
        if isinstance(half, rsa.RSAPublicKey):
            return _rsa_private(members, half)
        if isinstance(half, ec.EllipticCurvePublicKey):
            scalar = int.from_bytes(_octets(members, "d"), "big")
            return ec.derive_private_key(scalar, half.curve)
        if isinstance(half, ed25519.Ed25519PublicKey):
            return ed25519.Ed25519PrivateKey.from_private_bytes(_octets(members, "d"))
        return _mldsa_private(members, half)
    except ValueError:
        raise KeyRefused("the JWK's private members are no key") from None


def _mldsa_private(members: dict[str, Any], half: jwk.MLDSAPublicKey) -> jwk.MLDSAPrivateKey:
    seed = _octets(members, "priv")
    if isinstance(half, mldsa.MLDSA44PublicKey):
        return mldsa.MLDSA44PrivateKey.from_seed_bytes(seed)
    if isinstance(half, mldsa.MLDSA65PublicKey):
        return mldsa.MLDSA65PrivateKey.from_seed_bytes(seed)
    return mldsa.MLDSA87PrivateKey.from_seed_bytes(seed)


def _rsa_private(members: dict[str, Any], half: rsa.RSAPublicKey) -> rsa.RSAPrivateKey:
    numbers = half.public_numbers()
    d = int.from_bytes(_octets(members, "d"), "big")
    if "p" in members:
        p, q = (int.from_bytes(_octets(members, name), "big") for name in ("p", "q"))
    else:
        p, q = rsa.rsa_recover_prime_factors(numbers.n, numbers.e, d)
    jwk.require_same({"n": base64url.encode_integer(p * q)}, {"n": base64url.encode_integer(numbers.n)})
    crt = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    return rsa.RSAPrivateNumbers(p, q, d, *crt, numbers).private_key()


def _octets(members: dict[str, Any], name: str) -> bytes:
    value = members.get(name)
    if not isinstance(value, str):
        raise KeyRefused(f"the JWK has no private member {name!r}", fix="give the private key")
    try:
        return base64url.decode(value)
    except ValueError:
        raise KeyRefused(f"the member {name!r} is not base64url") from None


def _private_members(key: SigningKey) -> dict[str, str]:
    if isinstance(key, Secret):
        return jwk.secret_members(key)
    if isinstance(key, rsa.RSAPrivateKey):
        n = key.private_numbers()
        values = {"d": n.d, "p": n.p, "q": n.q, "dp": n.dmp1, "dq": n.dmq1, "qi": n.iqmp}
        return {name: base64url.encode_integer(value) for name, value in values.items()}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        width = (key.curve.key_size + 7) // 8
        return {"d": base64url.encode(key.private_numbers().private_value.to_bytes(width, "big"))}
    name = "d" if isinstance(key, ed25519.Ed25519PrivateKey) else "priv"
    return {name: base64url.encode(key.private_bytes_raw())}
