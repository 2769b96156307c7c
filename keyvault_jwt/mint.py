"""What goes into a token, and what a signer refuses to put there (RFC 7519, RFC 7515)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec

from . import base64url
from .clock import Milliseconds
from .duration import format_duration
from .errors import TokenRefused

RESERVED: Final = frozenset({"alg", "kid", "crit", "b64", "jku", "jwk", "enc", "zip"})
"""Header members that the signer sets itself, or that our verifiers ignore or refuse; `x5*` too."""
_TEXTS: Final = frozenset({"aud", "jti", "sub"})
"""Claims that are text, of which `aud` may be a list."""
_LAST_DATE: Final = 2**53
"""The largest integer that every JSON reader keeps exactly (RFC 8259 section 6); NaN is not below it."""
_ENCODER: Final = msgspec.json.Encoder()


def header(algorithm: str, kid: str, extra: Mapping[str, Any] | None = None) -> bytes:
    """Return the JOSE header in base64url: alg, kid, typ "JWT", and a caller's own members.

    Raises `TokenRefused` for members that would change how the token is verified, and for a
    `typ` that is not text.
    """
    members: dict[str, Any] = {"alg": algorithm, "kid": kid, "typ": "JWT"}
    if extra:
        if not all(isinstance(name, str) for name in extra):
            raise TokenRefused("a header name is not text")
        taken = sorted(name for name in extra if name in RESERVED or name.startswith("x5"))
        if taken:
            raise TokenRefused(
                f"the header member {taken[0]!r} can't be set",
                why="it would change by which key, or how, the token is verified",
                fix="leave it out; typ and members of your own may be set",
            )
        if not isinstance(extra.get("typ", "JWT"), str):
            raise TokenRefused("the header's typ is not text")
        members |= extra
    return base64url.encode_ascii(_json(members, "header"))


def claims_set(
    claims: Mapping[str, Any],
    *,
    issuer: str,
    issued: int,
    ttl: timedelta | None,
    longest: Milliseconds,
) -> bytes:
    """Return the claims as JSON, with iss, iat and exp.

    `issued` is in seconds since 1970; `longest` is L.  Raises `TokenRefused` for an iat of the
    caller's, another issuer, a lifetime above L, and values that no verifier would take.
    """
    # A dict is a Mapping; to ask for dict first takes a tenth of the time.
    if not (isinstance(claims, dict) or isinstance(claims, Mapping)):  # noqa: SIM101
        raise TokenRefused("claims are a mapping of names to values")
    _check_types(claims)
    if "iat" in claims:
        raise TokenRefused(
            "the claim iat can't be set",
            why="it is the moment at which the signer's lease was checked",
            fix="leave it out",
        )
    if claims.get("iss", issuer) != issuer:
        raise TokenRefused(
            "the claim iss is not the keyring's issuer", why=f"that is {issuer}", fix="leave iss out"
        )
    expires = _expiry(claims, issued, ttl, longest)
    return _json({**claims, "iss": issuer, "iat": issued, "exp": expires}, "claim")


def _expiry(
    claims: Mapping[str, Any], issued: int, ttl: timedelta | None, longest: Milliseconds
) -> int | float:
    if "exp" in claims:
        if ttl is not None:
            raise TokenRefused("both exp and a ttl are given", fix="give one of them")
        expires = _number(claims["exp"], "exp")
        if not issued < expires:
            raise TokenRefused("the claim exp is not in the future", fix="compare the clocks, or give a ttl")
        if expires * 1000 - issued * 1000 > longest:
            raise _too_long(longest)
        return expires
    if ttl is None:
        seconds = longest // 1000
    elif not isinstance(ttl, timedelta):
        raise TokenRefused("the ttl is not a timedelta", fix="write timedelta(minutes=5)")
    elif ttl > timedelta(milliseconds=longest):
        raise _too_long(longest)
    else:
        seconds = ttl // timedelta(seconds=1)
    if seconds < 1:
        raise TokenRefused(
            "the token would live for less than a second",
            why="its times are whole seconds (iat is rounded down)",
            fix="use a ttl, and a policy with a token_ttl, of 1s or more",
        )
    return issued + seconds


def _check_types(claims: Mapping[Any, Any]) -> None:
    """Refuse names that are not text, and registered claims of the wrong type.

    Verifiers would refuse the token (RFC 7519 section 4.1).
    """
    for name, value in claims.items():
        if not isinstance(name, str):
            raise TokenRefused("a claim name is not text")
        if not isinstance(value, str) and name in _TEXTS:
            if name != "aud":
                raise TokenRefused(f"the claim {name} is not text")
            if not _is_text_list(value):
                raise TokenRefused("the claim aud is neither text nor a list of text")
    if "nbf" in claims:
        _number(claims["nbf"], "nbf")


def _is_text_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


def _number(value: Any, name: str) -> int | float:
    """Return a NumericDate; True is an int to Python and infinity a float, and neither is a date."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LAST_DATE:
        return value
    raise TokenRefused(f"the claim {name} is not a number", fix="give seconds since 1970-01-01T00:00:00Z")


def _too_long(longest: Milliseconds) -> TokenRefused:
    return TokenRefused(
        f"the token would live longer than {format_duration(longest)}",
        why="retired keys are kept only as long as the policy's token_ttl asks",
        fix="ask for less, or raise token_ttl with `policy`",
    )


def _json(members: dict[str, Any], kind: str) -> bytes:
    """Return compact JSON; raises `TokenRefused` for what has no JSON form.  No message quotes a value."""
    try:
        data = _ENCODER.encode(members)
        # msgspec writes NaN and infinity as null, which says something else than the caller did.
        # By `find`, since `in` tries the bytes as a number first, which takes longer than the search.
        finite = data.find(b"null") < 0 or _all_finite(msgspec.to_builtins(members))
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise TokenRefused(f"a {kind} has no JSON form") from None
    if not finite:
        raise TokenRefused(f"a {kind} holds a number that is not finite", why="JSON has no NaN or infinity")
    return data


def _all_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        value = list(value.values())
    return not isinstance(value, list | tuple) or all(_all_finite(part) for part in value)
