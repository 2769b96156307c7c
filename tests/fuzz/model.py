"""What a verifier should say: RFC 7515, 7517, 7519 and 8725 read by another, and slowly.

Nothing of the verifier is used here, nor any signature checked: what was really signed is known.
Every reason for a refusal is named, not the first alone, so that another library's acceptance is
explained only when it is known not to look at any of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.fuzz.lenient import bytes_of, is_spelled_once, respelled
from tests.fuzz.model_claims import NotJSON, claim_reasons, lenient_json, strict_json
from tests.fuzz.model_keys import ModelKey, ModelSet
from tests.fuzz.mutant import Mutant
from tests.fuzz.signed_inputs import SignedInputs, at_width

_MAX_TOKEN, _MAX_HEADER = 65_536, 8_192


@dataclass(slots=True)
class Reading:
    """Every reason to refuse; none means that the token is good, if the model is `sure`."""

    reasons: set[str] = field(default_factory=set)
    sure: bool = True
    header: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    key: ModelKey | None = None
    set_: ModelSet | None = None
    parts: tuple[bytes, ...] = ()


def read(mutant: Mutant, keys: ModelSet, signed: SignedInputs) -> Reading:
    """Return the model's reading of a mutant."""
    reading = Reading(set_=keys)
    if not keys.readable:
        reading.reasons.add("set")
    raw = _raw(mutant.token, reading.reasons)
    parts = raw.split(b".")
    if len(parts) != 3:
        reading.reasons |= {"parts", "unread"}
        return reading
    if len(parts[0]) > _MAX_HEADER:
        reading.reasons.add("size")
    reading.parts = tuple(parts)
    _read_header(parts[0], mutant, reading)
    _read_key(mutant, keys, reading)
    _read_signature(parts, keys, signed, reading)
    _read_claims(parts[1], reading)
    return reading


def _raw(token: Any, reasons: set[str]) -> bytes:
    if not isinstance(token, str | bytes):
        reasons.add("no-text")
        token = bytes(token) if isinstance(token, bytearray) else b""
    raw = token.encode("utf-8", "surrogatepass") if isinstance(token, str) else token
    if not raw.isascii():
        reasons.add("ascii")
    if len(token) > _MAX_TOKEN:
        reasons.add("size")
    return raw


def _read_header(segment: bytes, mutant: Mutant, reading: Reading) -> None:
    reasons = reading.reasons
    if not is_spelled_once(segment):
        reasons.add("spelling")
    try:
        header, twice = strict_json(bytes_of(segment))
    except NotJSON:
        header, twice = lenient_json(bytes_of(segment)), False
        reasons.add("header-json")
    if not isinstance(header, dict):
        reasons.add("no-header")
        return
    reading.header = header
    if twice:
        reasons.add("header-duplicate")
    reasons |= {name for name in ("crit", "b64", "enc") if name in header}
    alg, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    if not isinstance(alg, str) or _row(alg) not in map(_row, mutant.allowed):
        reasons.add("alg")
    if "kid" in header and (not isinstance(kid, str) or len(kid) > 1024):
        reasons.add("kid-type")
    if "typ" in header and not isinstance(typ, str):
        reasons.add("typ-type")
    elif mutant.typ is not None and _media_type(typ) != _media_type(mutant.typ):
        reasons.add("typ")


def _row(alg: str) -> str:
    return "Ed25519" if alg == "EdDSA" else alg


def _media_type(typ: str | None) -> str:
    lowered = (typ or "").lower()
    return lowered if "/" in lowered or typ is None else f"application/{lowered}"


def _read_key(mutant: Mutant, keys: ModelSet, reading: Reading) -> None:
    """Find the one key that the header means; a contested kid means none (RFC 7517 section 4.5)."""
    kid, alg = reading.header.get("kid"), reading.header.get("alg")
    if not isinstance(alg, str):
        return
    usable = [key for key in keys.keys if not key.reasons]
    if mutant.symmetric and any(key.kty != "oct" for key in usable):
        usable = [key for key in usable if key.kty != "oct"]
        reading.reasons |= {"mixed"} if any(key.kty == "oct" for key in keys.keys) else set()
    named = [key for key in usable if _row(alg) in key.serves and (kid is None or key.kid == kid)]
    contested = {(key.kid, key.kty) for key in keys.keys if key.reasons and key.contends}
    held = [key for key in named if not (isinstance(key.kid, str) and (key.kid, key.kty) in contested)]
    if len(held) < len(named):
        reading.reasons.add("contested")
    # Which numbers are a key, and which secrets are one to HMAC, is not for this model to say.
    reading.sure = all(key.sure for key in held) if len(held) > 1 else mutant.whole_keys or _sure_alone(held)
    distinct = list({(key.kid, key.identity, key.serves): key for key in held}.values())
    if len(distinct) > 1:
        reading.reasons.add("ambiguous")
    elif not distinct:
        reading.reasons |= _why_none(kid, keys) if "contested" not in reading.reasons else set()
    elif distinct:
        reading.key = distinct[0]
        if distinct[0].kty == "RSA" and distinct[0].identity and distinct[0].identity[1].bit_length() < 2048:
            reading.reasons.add("weak")


def _why_none(kid: Any, keys: ModelSet) -> set[str]:
    """Return what is wrong with the JWKs of the kid; none is the kid's, or those that are serve others."""
    same = [key for key in keys.keys if kid is None or key.kid == kid]
    if not same:
        return {"kid-unlisted"}
    # The JWK that is the nearest to serving: what is wrong with the others is no reason.
    return set(
        min((key.reasons or frozenset({"alg-of-key"}) for key in same), key=lambda it: (len(it), sorted(it)))
    )


def _sure_alone(held: list[ModelKey]) -> bool:
    return all(key.sure or key.kty != "oct" for key in held)


def _read_signature(parts: list[bytes], keys: ModelSet, signed: SignedInputs, reading: Reading) -> None:
    """Look the signature up among those made: by the key that is meant, and by any key of the set."""
    alg, signature = reading.header.get("alg"), bytes_of(parts[2])
    if not is_spelled_once(parts[2]):
        reading.reasons.add("spelling")
    if not isinstance(alg, str):
        reading.reasons.add("unsigned")
        return
    signing_input = b".".join(parts[:2])
    if reading.key is not None and reading.key.identity is not None:
        if signed.holds(reading.key.identity, alg, signing_input, signature):
            return
    elif any(key.identity and signed.holds(key.identity, alg, signing_input, signature) for key in keys.keys):
        return
    other = b".".join(respelled(bytes_of(part)) for part in parts[:2])
    others = [key.identity for key in keys.keys if key.identity]
    narrowed = at_width(alg, signature)
    if narrowed is not None and any(signed.holds(it, alg, signing_input, narrowed) for it in others):
        reading.reasons.add("signature-width")
    elif any(signed.holds(it, alg, other, signature) for it in others):
        reading.reasons.add("signed-in-another-spelling")
    else:
        reading.reasons.add("unsigned")


def _read_claims(segment: bytes, reading: Reading) -> None:
    if not is_spelled_once(segment):
        reading.reasons.add("spelling")
    try:
        claims, _ = strict_json(bytes_of(segment))
    except NotJSON:
        claims = lenient_json(bytes_of(segment))
        reading.reasons.add("claims-json")
    if not isinstance(claims, dict):
        reading.reasons.add("no-claims")
        return
    reading.claims = claims
    reading.reasons |= claim_reasons(claims)
