"""JWK Sets (RFC 7517) in and out; a private member can't pass either way.

Out, a set is refused whole when a JWK in it is not public.  In, a set survives a bad key: the
key is left out and reported, since one tenant's mistake must not stop the others' tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from . import jwk
from .algorithms import ALGORITHMS, VERIFY_ALIASES, Algorithm, algorithm_named
from .errors import (
    BadRingName,
    CorruptDocument,
    DocumentTooLarge,
    KeyRefused,
    PrivateMember,
    WeakKey,
    WrongKeyType,
)
from .jwk import VerificationKey
from .roca import has_roca_fingerprint
from .store import check_ring_name

MAX_BYTES: Final = 1_048_576
"""The largest JWK Set we parse: 1,000 RSA keys fit twice."""
MAX_KEYS: Final = 1_000
MAX_KID: Final = 1_024
"""The longest kid, in characters, in a JWK and in a token's header."""
ORIGIN_MEMBER: Final = "keyvault_jwt"


@dataclass(frozen=True, slots=True)
class Origin:
    """Which keyring a set is of, and when in that keyring's life."""

    ring: str
    epoch: int
    revision: int

    @property
    def moment(self) -> tuple[int, int]:
        """What orders two sets of one keyring: (epoch, revision)."""
        return self.epoch, self.revision


msgspec.json.Decoder(Origin)  # prepares the type for `convert`: see msgspec in docs/dependencies.md


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """A key of a set and the algorithms that it may verify: one, unless the JWK left `alg` out.

    Two are equal when their kid, algorithms and RFC 7638 thumbprint are.
    """

    kid: str | None
    algorithms: frozenset[str]
    thumbprint: str
    key: VerificationKey = field(repr=False, compare=False)

    @property
    def symmetric(self) -> bool:
        """Whether the key is a secret."""
        return isinstance(self.key, jwk.Secret)

    @property
    def rsa_bits(self) -> int | None:
        """The width of an RSA modulus; None for other keys."""
        return self.key.key_size if isinstance(self.key, rsa.RSAPublicKey) else None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A JWK that was left out: its place in the set, its kid if it has one, and why."""

    index: int
    kid: str | None
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class JWKSet:
    """A parsed set: the usable keys, what was left out, and where it comes from if it is ours."""

    keys: tuple[ParsedKey, ...]
    skipped: tuple[Skipped, ...] = ()
    origin: Origin | None = None


def published(kid: str, algorithm: str, members: Mapping[str, str]) -> dict[str, str]:
    """Return the JWK as it is published: kid, alg, `use` "sig" and the public members.

    Raises `PrivateMember` when a private member is among them, `WrongKeyType` when the members
    are of another type than the algorithm's.
    """
    row = algorithm_named(algorithm)
    _refuse_private(members)
    if members.get("kty") != row.kty or members.get("crv") != row.crv:
        raise WrongKeyType(f"a key for {row.name} is of kty {row.kty}" + (f", {row.crv}" if row.crv else ""))
    return {"kty": row.kty, "kid": kid, "alg": row.name, "use": "sig", **_without(members, "kty", "alg")}


def public_jwk(key: ParsedKey) -> dict[str, str]:
    """Return a parsed key as a JWK again, public members alone; raises `PrivateMember` for a secret.

    `alg` is stated when the key serves one algorithm, and `kid` when it has one.
    """
    document = {**jwk.public_members(key.key), "use": "sig"}
    if key.kid is not None:
        document["kid"] = key.kid
    if len(key.algorithms) == 1:
        (document["alg"],) = key.algorithms
    return document


def render(keys: Iterable[Mapping[str, str]], *, origin: Origin | None) -> bytes:
    """Return the JWK Set as JSON, with `origin` as the extra member; raises `PrivateMember`."""
    listed = list(keys)
    for key in listed:
        _refuse_private(key)
    document: dict[str, Any] = {"keys": listed}
    if origin is not None:
        document[ORIGIN_MEMBER] = {"ring": origin.ring, "epoch": origin.epoch, "revision": origin.revision}
    return msgspec.json.encode(document)


def parse(
    data: bytes, *, allow_symmetric: bool = False, max_bytes: int = MAX_BYTES, max_keys: int = MAX_KEYS
) -> JWKSet:
    """Return the keys that a JWK Set holds for verifying signatures.

    `oct` keys are taken only with `allow_symmetric`, and never beside asymmetric ones: a set
    that mixes both is how a public key becomes somebody's HMAC secret (RFC 8725 section 3.1).
    Raises `DocumentTooLarge` above the caps and `CorruptDocument` for what is no JWK Set.
    """
    if len(data) > max_bytes:
        raise DocumentTooLarge(f"the JWK Set has {len(data)} bytes", why=f"the cap is {max_bytes}")
    try:
        document = msgspec.json.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise CorruptDocument("this is no JWK Set", why="it is not JSON") from None
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise CorruptDocument("this is no JWK Set", why='it has no array "keys" (RFC 7517 section 5)')
    if len(listed) > max_keys:
        raise DocumentTooLarge(f"the JWK Set has {len(listed)} keys", why=f"the cap is {max_keys}")
    keys, skipped = _parse_each(listed, allow_symmetric=allow_symmetric)
    return JWKSet(tuple(keys.values()), tuple(skipped), _origin(document.get(ORIGIN_MEMBER)))


def _parse_each(listed: list[Any], *, allow_symmetric: bool) -> tuple[dict[int, ParsedKey], list[Skipped]]:
    keys: dict[int, ParsedKey] = {}
    refused: dict[int, KeyRefused] = {}
    for index, members in enumerate(listed):
        try:
            keys[index] = _parse_key(members, allow_symmetric=allow_symmetric)
        except KeyRefused as error:
            refused[index] = error
    refused |= _indistinct(listed, keys, refused) | _mixed(keys)
    usable = {index: key for index, key in keys.items() if index not in refused}
    skipped = [
        Skipped(index, _kid_to_show(listed[index]), error.code, error.what)
        for index, error in sorted(refused.items())
    ]
    return usable, skipped


def _mixed(keys: Mapping[int, ParsedKey]) -> dict[int, KeyRefused]:
    secrets = [index for index, key in keys.items() if key.symmetric]
    if len(secrets) == len(keys):
        return {}
    return {index: KeyRefused("a symmetric key in a set that has asymmetric ones") for index in secrets}


def _indistinct(
    listed: list[Any], keys: Mapping[int, ParsedKey], refused: Mapping[int, KeyRefused]
) -> dict[int, KeyRefused]:
    """Return the keys whose kid another JWK of their type claims too, but which can't be read.

    Which of the two a token means can't be told, and the readable one is a guess.
    """
    claimed = {
        (listed[index]["kid"], listed[index].get("kty")) for index in refused if _contends(listed[index])
    }
    return {
        index: KeyRefused("another JWK of its kid can't be read")
        for index in keys
        if (listed[index].get("kid"), listed[index]["kty"]) in claimed
    }


def _contends(members: Any) -> bool:
    """Whether a refused JWK was meant to verify signatures under a kid."""
    if not isinstance(members, dict) or not all(isinstance(members.get(n), str) for n in ("kid", "kty")):
        return False
    try:
        _check_purpose(members)
    except KeyRefused:
        return False
    stated = members.get("alg")
    return stated is None or _row(stated) is not None


def _parse_key(members: Any, *, allow_symmetric: bool) -> ParsedKey:
    if not isinstance(members, dict):
        raise KeyRefused("not a JSON object")
    kid = members.get("kid")
    if kid is not None and (not isinstance(kid, str) or len(kid) > MAX_KID):
        raise KeyRefused(f"its kid is not text of at most {MAX_KID} characters")
    _check_purpose(members)
    secret = members.get("kty") == "oct"
    if not (secret and allow_symmetric):
        _refuse_private(members)
    key = jwk.load(members)
    if isinstance(key, rsa.RSAPublicKey) and has_roca_fingerprint(key.public_numbers().n):
        raise WeakKey("its RSA modulus was made by a broken generator", why="ROCA, CVE-2017-15361")
    return ParsedKey(kid, frozenset(_algorithms(members, key)), jwk.thumbprint(members), key)


def _check_purpose(members: Mapping[str, Any]) -> None:
    """RFC 7517 sections 4.2 and 4.3: `use` and `key_ops`, where stated, must allow verifying."""
    if members.get("use", "sig") != "sig":
        raise KeyRefused('its use is not "sig"')
    operations = members.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise KeyRefused('its key_ops lack "verify"')


def _algorithms(members: Mapping[str, Any], key: VerificationKey) -> list[str]:
    """Return the algorithms that the JWK may serve; never more than its `alg` when it has one."""
    stated = members.get("alg")
    if stated is None:
        if isinstance(key, jwk.Secret):
            raise KeyRefused("a symmetric key must say its alg")
        kty, crv = members["kty"], members.get("crv")
        return [
            row.name for row in ALGORITHMS.values() if row.kty == kty and (row.crv is None or row.crv == crv)
        ]
    row = _row(stated)
    if row is None:
        raise WrongKeyType("its alg is no signature algorithm that we know")
    # Not `check`, since the floor for RSA is each verifier's own (`min_rsa_bits`).
    row.verifier(key)
    return [row.name]


def _row(stated: Any) -> Algorithm | None:
    return ALGORITHMS.get(VERIFY_ALIASES.get(stated, stated)) if isinstance(stated, str) else None


def _refuse_private(members: Mapping[str, Any]) -> None:
    if not jwk.PRIVATE_MEMBERS.isdisjoint(members) or members.get("kty") == "oct":
        raise PrivateMember(
            "it holds a private or symmetric key",
            why="whoever reads the set could sign",
            fix="treat the key as leaked: revoke it and publish the public half of a new one",
        )


def _without(members: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in members.items() if name not in names}


def _kid_to_show(members: Any) -> str | None:
    kid = members.get("kid") if isinstance(members, dict) else None
    return kid[:MAX_KID] if isinstance(kid, str) else None


def _origin(member: Any) -> Origin | None:
    """Return our extra member; anything of another shape is a stranger's and says nothing."""
    try:
        origin = msgspec.convert(member, Origin)
        check_ring_name(origin.ring)
    except (msgspec.ValidationError, BadRingName):
        return None
    return origin
