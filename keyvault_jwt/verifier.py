"""Verifier: a token in, its claims out, or the reason why not (RFC 8725, RFC 7519 section 7.2)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final, NamedTuple

from . import base64url, compact
from .algorithms import VERIFY_ALIASES, Algorithm, algorithm_named
from .claims import Claims, compile_checks, parse_claims, validity
from .clock import Clock, SystemClock
from .compact import Compact, Header
from .duration import milliseconds
from .engine import CRYPTOGRAPHY, Engine
from .errors import UsageError, WrongKeyType
from .generation import Generation, Remembered
from .keyset import BoundKey, KeySet, KeySource
from .verification_errors import AlgorithmRefused, InvalidSignature, TypeRefused, UnknownKey, UnusableKey

_SYSTEM_CLOCK: Final = SystemClock()
_TOKEN_TYPES: Final = (str, bytes)


class _Located(NamedTuple):
    """A token taken apart, with the key that its header means; without one, with what to ask for."""

    compact: Compact
    key: BoundKey | None
    header: Header | None
    keys: KeySet | None


class Verifier:
    """Verifies tokens of one issuer for one audience, by the keys of one source.  Thread-safe.

    `algorithms` is the allow-list, by exact name; `EdDSA` and `Ed25519` are one algorithm there.
    HMAC and public-key algorithms can't be in one list: confusing them is the oldest attack
    there is (RFC 8725 section 2.1), and no key set holds both.  `issuer` is compared exactly;
    `audience` is one name or several, of which the token must name one; either is left
    unchecked only by writing None.  `typ` is compared as a media type when given.  `required`
    are the claims that must be there.  `remember` is how many good tokens, of 8,192 characters at
    most, are kept in memory, so that their signatures are not checked again: their times, their
    key's place in the set and denials are, at every use.  `engine` checks the
    signatures: `keyvault_jwt.fast` has another than the default; both give the same verdicts.

    Raises `UsageError` for an allow-list or expectation that can't be meant.
    """

    def __init__(
        self,
        keys: KeySource,
        *,
        issuer: str | None,
        audience: str | Iterable[str] | None,
        algorithms: Iterable[str],
        min_rsa_bits: int = 2048,
        leeway: timedelta = timedelta(seconds=30),
        typ: str | None = None,
        required: Iterable[str] = ("exp",),
        remember: int = 0,
        max_token: int = compact.MAX_TOKEN,
        clock: Clock = _SYSTEM_CLOCK,
        engine: Engine = CRYPTOGRAPHY,
    ) -> None:
        if remember < 0 or max_token < 1:
            raise UsageError("`remember` must be 0 or more, and `max_token` 1 or more")
        if isinstance(engine, type) or not callable(getattr(engine, "verifier", None)):
            raise UsageError("`engine` is not an engine", fix="write engine=AWSLC(), or leave it out")
        self.issuer = issuer
        self._source, self._clock, self._engine = keys, clock, engine
        self._allowed = _allow_list(algorithms)
        self._min_rsa_bits, self._max_token, self._remember = min_rsa_bits, max_token, remember
        self._typ = None if typ is None else _media_type(typ)
        self._leeway = milliseconds(leeway)
        self._check = compile_checks(issuer=issuer, audience=audience, leeway=self._leeway, required=required)
        self._generation = Generation(KeySet(()))

    def verify(self, token: str | bytes) -> dict[str, Any]:
        """Return the claims of a good token, as a dict of the caller's own.

        Raises an `InvalidToken` that says why not, or `KeysUnavailable` when there are no keys
        to tell by.
        """
        claims = self._glance(token)
        if claims is None:
            located = self._locate(token)
            if located.key is None:
                located = self._relocate(located, self._source.find(_kid(located), located.keys))
            claims = self._claims(token, *self._payload(located))
        return claims

    async def averify(self, token: str | bytes) -> dict[str, Any]:
        """As `verify`; awaits the key source only when it has no key for the token."""
        claims = self._glance(token)
        if claims is None:
            located = self._locate(token)
            if located.key is None:
                located = self._relocate(located, await self._source.afind(_kid(located), located.keys))
            claims = self._claims(token, *self._payload(located))
        return claims

    def verify_signature(self, jws: str | bytes) -> tuple[dict[str, Any], bytes]:
        """Return header and payload of a good compact JWS, whatever the payload is.

        Everything is checked but the claims.  Raises as `verify`.
        """
        located = self._locate(jws)
        if located.key is None:
            located = self._relocate(located, self._source.find(_kid(located), located.keys))
        payload, _ = self._payload(located)
        return compact.header_members(located.compact.header), payload

    async def averify_signature(self, jws: str | bytes) -> tuple[dict[str, Any], bytes]:
        """As `verify_signature`; awaits the key source only when it has no key."""
        located = self._locate(jws)
        if located.key is None:
            located = self._relocate(located, await self._source.afind(_kid(located), located.keys))
        payload, _ = self._payload(located)
        return compact.header_members(located.compact.header), payload

    def _glance(self, token: object) -> Claims | None:
        """Return the claims of a good token if it, or its header on a good one, was seen before.

        None says nothing: the token then goes the long way, on which each refusal has its reason.
        Raises `InvalidSignature`, so that a forged token is not checked twice, and what is wrong
        with the claims.
        """
        generation = self._generation
        if (
            generation.keys is not self._source.current()
            or not isinstance(token, _TOKEN_TYPES)
            or len(token) > self._max_token
        ):
            return None
        if self._remember and (seen := generation.tokens.get(token)) is not None:
            return self._again(seen)
        try:
            raw = token.encode("ascii") if isinstance(token, str) else token
            signing_input, _, signature = raw.rpartition(b".")
            header, dot, encoded = signing_input.partition(b".")
            bound = generation.headers.get(header)
            if bound is None:
                return None
            if not bound.verify(base64url.decode(signature), signing_input):
                # Nobody signs what has not three parts, so good tokens need not be asked for theirs.
                if not dot or b"." in encoded:
                    return None
                raise _invalid_signature()
            payload = base64url.decode(encoded)
        except ValueError:
            return None
        return self._claims(token, payload, generation)

    def _again(self, seen: Remembered) -> Claims:
        """Return the claims of a remembered token, or raise what is wrong with its times by now."""
        claims, now = seen.handed_out(), self._clock.wall()
        begin, end = seen.validity
        if not begin <= now < end:
            self._check(claims, now)
        return claims

    def _locate(self, token: str | bytes) -> _Located:
        parts = compact.split(token, self._max_token)
        keys = self._source.current()
        if keys is not None:
            bound = self._generation_of(keys).headers.get(parts.header)
            if bound is not None:
                return _Located(parts, bound, None, keys)
        header = self._read_header(parts.header)
        return _Located(parts, None if keys is None else self._choose(header, keys), header, keys)

    def _relocate(self, located: _Located, keys: KeySet) -> _Located:
        assert located.header is not None
        bound = self._choose(located.header, keys)
        if bound is None:
            raise UnknownKey(
                "no key answers to the token's header",
                why="the key set has none of its kid, or without a kid none of its algorithm",
                fix="see that the token is of this issuer, and that the issuer publishes its key",
            )
        return located._replace(key=bound, keys=keys)

    def _read_header(self, segment: bytes) -> Header:
        header = compact.parse_header(segment)
        if header.alg not in self._allowed:
            raise AlgorithmRefused(
                "the token's algorithm is not allowed here",
                why="allowed are " + ", ".join(self._allowed),
            )
        if self._typ is not None and (header.typ is None or _media_type(header.typ) != self._typ):
            raise TypeRefused(f"the token is not of type {self._typ}")
        return header

    def _choose(self, header: Header, keys: KeySet) -> BoundKey | None:
        bound = keys.find(header.kid, self._allowed[header.alg], self._engine)
        if bound is not None:
            bits = bound.key.rsa_bits
            if bits is not None and bits < self._min_rsa_bits:
                raise UnusableKey(
                    f"the token's key is RSA of {bits} bits",
                    why=f"this verifier asks for {self._min_rsa_bits} bits (RFC 7518 section 3.3)",
                )
        return bound

    def _payload(self, located: _Located) -> tuple[bytes, Generation]:
        """Return a good signature's payload, and the generation of the keys that it was checked by."""
        parts, bound = located.compact, located.key
        assert bound is not None
        assert located.keys is not None
        if not bound.verify(compact.signature_bytes(parts.signature), parts.signing_input):
            raise _invalid_signature()
        generation = self._generation_of(located.keys)
        generation.note_header(parts.header, bound)
        return compact.payload_bytes(parts.payload), generation

    def _generation_of(self, keys: KeySet) -> Generation:
        generation = self._generation
        if generation.keys is not keys:
            generation = self._generation = Generation(keys)
        return generation

    def _claims(self, token: str | bytes, payload: bytes, generation: Generation) -> Claims:
        claims = parse_claims(payload)
        self._check(claims, self._clock.wall())
        if self._remember:
            holds = validity(claims, self._leeway)
            generation.note_token(token, payload, claims, holds, most=self._remember)
        return claims


def _invalid_signature() -> InvalidSignature:
    return InvalidSignature("the signature is not this key's over this token")


def _kid(located: _Located) -> str | None:
    return None if located.header is None else located.header.kid


def _allow_list(names: Iterable[str]) -> dict[str, Algorithm]:
    listed = [names] if isinstance(names, str) else list(names)
    if not listed or isinstance(names, str):
        raise UsageError("`algorithms` is not a list of names", fix='write it like ["ES256"]')
    try:
        rows = [algorithm_named(str(name), verifying=True) for name in listed]
    except WrongKeyType as error:
        raise UsageError(error.what, fix=error.fix) from None
    if len({row.symmetric for row in rows}) > 1:
        raise UsageError(
            "the allow-list mixes HMAC with public-key algorithms",
            why="a public key must never be taken for an HMAC secret (RFC 8725 section 2.1)",
            fix="use one verifier for each",
        )
    allowed = {row.name: row for row in rows}
    return allowed | {old: allowed[new] for old, new in VERIFY_ALIASES.items() if new in allowed}


def _media_type(typ: str) -> str:
    """Return a `typ` for comparison: case does not count, nor does a leading "application/".

    RFC 7515 section 4.1.9: without a slash, `application/` is meant.
    """
    lowered = typ.lower()
    return lowered if "/" in lowered else f"application/{lowered}"
