"""Claim checks (RFC 7519 section 4.1), compiled once per verifier."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

import msgspec

from .clock import Instant, Milliseconds
from .duration import format_duration
from .errors import UsageError
from .verification_errors import (
    ExpiredToken,
    FutureToken,
    ImmatureToken,
    MalformedClaim,
    MalformedIssuedAt,
    MalformedToken,
    MissingClaim,
    WrongAudience,
    WrongIssuer,
)

Claims: TypeAlias = dict[str, Any]
Check: TypeAlias = Callable[[Claims, Instant], None]
"""Raises an `InvalidToken` unless the claims hold at the instant."""
Validity: TypeAlias = tuple[float, float]
"""The first instant at which a token's times hold, and the first after it at which they don't."""
_decode: Final = msgspec.json.Decoder().decode


def parse_claims(payload: bytes) -> Claims:
    """Return the claims set as a dict of the caller's own; raises `MalformedToken`."""
    try:
        claims = _decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise MalformedToken("the payload is not JSON") from None
    if not isinstance(claims, dict):
        raise MalformedToken("the payload is not a JSON object")
    return claims


def compile_checks(
    *,
    issuer: str | None,
    audience: str | Iterable[str] | None,
    leeway: Milliseconds,
    required: Iterable[str],
) -> Check:
    """Return one function that applies every check; `None` means that the claim is not looked at.

    Raises `UsageError` for expectations that no token, or every token, would meet.
    """
    wanted, audiences = _names(required), None if audience is None else _audiences(audience)
    required_claims, times = _required(wanted), _times(leeway)
    identities = [
        *([] if issuer is None else [_issuer(issuer)]),
        *([] if audiences is None else [_audience(audiences)]),
    ]
    others = tuple(name for name in wanted if name != "exp")

    def check(claims: Claims, now: Instant) -> None:
        exp, iat, aud = claims.get("exp"), claims.get("iat", 0), claims.get("aud")
        if (
            # Claims as nearly every token has them, which all hold: one look, and no further one.
            type(exp) is int
            and type(iat) is int
            and iat * 1000 - leeway <= now < exp * 1000 + leeway
            and "nbf" not in claims
            and (issuer is None or claims.get("iss") == issuer)
            and (audiences is None or (type(aud) is str and aud in audiences))
            and (not others or not any(claims.get(name) is None for name in others))
        ):
            return
        required_claims(claims)
        times(claims, now)
        for identity in identities:
            identity(claims)

    return check


def validity(claims: Claims, leeway: Milliseconds) -> Validity:
    """Return when the times of claims hold that passed a check with this leeway."""
    begins = [_milliseconds(claims[name], name) - leeway for name in ("nbf", "iat") if name in claims]
    end = _milliseconds(claims["exp"], "exp") + leeway if "exp" in claims else math.inf
    return max(begins, default=-math.inf), end


def _names(required: Iterable[str]) -> tuple[str, ...]:
    if isinstance(required, str):
        raise UsageError("`required` is one text", fix='write a list of claim names, like ("exp", "sub")')
    return tuple(required)


def _required(wanted: tuple[str, ...]) -> Callable[[Claims], None]:
    def required(claims: Claims) -> None:
        for name in wanted:
            if claims.get(name) is None:
                raise _missing(name)

    return required


def _missing(name: str) -> MissingClaim:
    return MissingClaim(f'the claim "{name}" is missing', claim=name)


def _times(leeway: Milliseconds) -> Check:
    if leeway < 0:
        raise UsageError("the leeway is negative")
    allowed = f"the leeway is {format_duration(leeway)}"

    def times(claims: Claims, now: Instant) -> None:
        if "exp" in claims and now >= _milliseconds(claims["exp"], "exp") + leeway:
            raise ExpiredToken("the token has expired", why=allowed)
        if "nbf" in claims and now < _milliseconds(claims["nbf"], "nbf") - leeway:
            raise ImmatureToken("the token is not valid yet", why=allowed)
        if "iat" in claims and now < _milliseconds(claims["iat"], "iat") - leeway:
            raise FutureToken("the token was issued in the future", why=allowed, fix="compare the clocks")

    return times


def _milliseconds(value: object, name: str) -> int | float:
    """Return a NumericDate in milliseconds; a bool is an int to Python and no number in JSON."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value * 1000
    if isinstance(value, float) and math.isfinite(value):
        return value * 1000
    malformed = MalformedIssuedAt if name == "iat" else MalformedClaim
    raise malformed(f'the claim "{name}" is not a number')


def _issuer(expected: object) -> Callable[[Claims], None]:
    if not isinstance(expected, str) or not expected:
        raise UsageError("`issuer` is not text", fix="give the exact issuer, or None to leave it unchecked")

    def issuer(claims: Claims) -> None:
        stated = claims.get("iss")
        if stated is None:
            raise _missing("iss")
        if not isinstance(stated, str) or stated != expected:
            raise WrongIssuer("the issuer is not the expected one")

    return issuer


def _audiences(expected: str | Iterable[object]) -> frozenset[object]:
    names = frozenset([expected] if isinstance(expected, str) else expected)
    if not names or not all(isinstance(name, str) and name for name in names):
        raise UsageError(
            "`audience` names nobody", fix="give one or more audiences, or None to leave it unchecked"
        )
    return names


def _audience(names: frozenset[object]) -> Callable[[Claims], None]:
    def audience(claims: Claims) -> None:
        stated = claims.get("aud")
        if stated is None:
            raise _missing("aud")
        listed = [stated] if isinstance(stated, str) else stated
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            raise WrongAudience("the audience is neither text nor a list of text")
        if names.isdisjoint(listed):
            raise WrongAudience("the audience is not the expected one")

    return audience
