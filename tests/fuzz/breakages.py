"""Parts of the verifier that can be broken on purpose, to see that the oracles find it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from keyvault_jwt import base64url, compact, keyset, verifier
from keyvault_jwt.algorithms import ECDSA
from keyvault_jwt.fast import AWSLC

BREAKAGES = {
    "any-signature": "ES256 takes any signature of the right length",
    "one-byte-less": "the last byte of an ECDSA signature does not count",
    "fast-one-byte-less": "the last byte of no signature counts for AWS-LC",
    "key-error": "a header without alg raises KeyError",
    "aud-unchecked": "the audience is not compared",
    "exp-unchecked": "tokens don't expire",
    "padding-taken": "base64url with padding is taken",
    "kid-ignored": "the first key of the algorithm is taken, whatever the kid",
    "crit-ignored": "crit and b64 are let pass",
    "rejects-nbf": "a token with nbf is always too early",
}


@contextmanager
def broken_part(name: str) -> Iterator[None]:
    """Break the part for a while; none for ""."""
    if not name:
        yield
        return
    owner, attribute, broken = _BROKEN[name]
    whole = owner.__dict__[attribute]
    setattr(owner, attribute, broken(whole))
    try:
        yield
    finally:
        setattr(owner, attribute, whole)


def _any_signature(_: Any) -> Any:
    return lambda self, key: lambda signature, data: len(signature) == 2 * self._width


def _one_byte_less(whole: Any) -> Any:
    def verifier_of(self: Any, *bound_to: Any) -> Any:
        verify = whole(self, *bound_to)
        return lambda signature, data: any(
            verify(signature[:-1] + bytes([last]), data) for last in range(256)
        )

    return verifier_of


def _key_error(whole: Any) -> Any:
    def parse_header(segment: bytes) -> Any:
        compact.header_members(segment)["alg"]
        return whole(segment)

    return parse_header


def _unchecked(*claims_left_out: str) -> Callable[[Any], Any]:
    def broken(whole: Any) -> Any:
        def compile_checks(**expected: Any) -> Any:
            left_out = {name: None for name in claims_left_out if name in expected}
            check = whole(**{**expected, **left_out})
            if "exp" not in claims_left_out:
                return check
            return lambda found, now: check({**found, "exp": 2**40}, now)

        return compile_checks

    return broken


def _padding_taken(whole: Any) -> Any:
    return lambda text: whole(text.rstrip("=" if isinstance(text, str) else b"="))


def _kid_ignored(whole: Any) -> Any:
    def find(self: keyset.KeySet, kid: str | None, algorithm: Any) -> Any:
        fitting = self._by_algorithm.get(algorithm.name, [])
        return fitting[0] if fitting else None

    return find


def _crit_ignored(whole: Any) -> Any:
    def parse_header(segment: bytes) -> Any:
        members = compact.header_members(segment)
        kept = {name: value for name, value in members.items() if name not in ("crit", "b64")}
        return compact.Header(kept.get("alg", ""), kept.get("kid"), kept.get("typ"))

    return parse_header


def _rejects_nbf(whole: Any) -> Any:
    def compile_checks(**expected: Any) -> Any:
        check = whole(**expected)
        return lambda found, now: check({**found, "nbf": 2**40} if "nbf" in found else found, now)

    return compile_checks


_BROKEN: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "any-signature": (ECDSA, "verifier", _any_signature),
    "one-byte-less": (ECDSA, "verifier", _one_byte_less),
    "fast-one-byte-less": (AWSLC, "verifier", _one_byte_less),
    "key-error": (compact, "parse_header", _key_error),
    "aud-unchecked": (verifier, "compile_checks", _unchecked("audience")),
    "exp-unchecked": (verifier, "compile_checks", _unchecked("exp")),
    "padding-taken": (base64url, "decode", _padding_taken),
    "kid-ignored": (keyset.KeySet, "_find", _kid_ignored),
    "crit-ignored": (compact, "parse_header", _crit_ignored),
    "rejects-nbf": (verifier, "compile_checks", _rejects_nbf),
}
