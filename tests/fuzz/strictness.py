"""What other libraries refuse, though it is good by the RFCs."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz.draft import LEEWAY, NOW
from tests.fuzz.model_keys import ModelKey
from tests.fuzz.rule import ALL, JOSERFC, JWCRYPTO, PYJWT, Case, Stricter


def _named(case: Case) -> list[ModelKey]:
    kid = case.reading.header.get("kid")
    keys = case.reading.set_.keys if case.reading.set_ is not None else ()
    return [key for key in keys if kid is None or key.kid == kid]


def _is(*algorithms: str) -> Callable[[Case], bool]:
    return lambda case: str(case.reading.header.get("alg")).startswith(algorithms)


def _key_set_mutated(case: Case) -> bool:
    return not case.mutant.whole_keys


def _several_of_the_kid(case: Case) -> bool:
    return len(_named(case)) > 1


def _one_key_twice(case: Case) -> bool:
    identities = [key.identity for key in _named(case)]
    return len(set(identities)) < len(identities)


def _claim_not_text(case: Case) -> bool:
    claims = case.reading.claims
    return any(name in claims and not isinstance(claims[name], str) for name in ("sub", "jti", "typ"))


def _fraction_at_the_edge(case: Case) -> bool:
    edges = {"exp": NOW - LEEWAY, "nbf": NOW + LEEWAY, "iat": NOW + LEEWAY}
    claims = case.reading.claims
    return any(claims.get(name) is not None and int(claims[name]) == edge for name, edge in edges.items())


def _names_of_ed25519(case: Case) -> set[str]:
    """Return the names by which the header and the JWK call it, if that is the key."""
    key = case.reading.key
    if key is None or key.kty != "OKP":
        return set()
    return {str(name) for name in (case.reading.header.get("alg"), key.stated) if name is not None}


def _alg_unstated(case: Case) -> bool:
    return case.reading.key is not None and len(case.reading.key.serves) > 1


STRICTER = (
    Stricter(
        "no-ed25519",
        (PYJWT,),
        ("Token algorithm 'Ed25519' does not match", "no key of that kid", "usable keys"),
        lambda case: "Ed25519" in _names_of_ed25519(case),
        "PyJWT knows the name EdDSA only, in headers and in JWKs (RFC 9864 section 2.2 is newer)",
    ),
    Stricter(
        "two-names-of-ed25519",
        (JOSERFC,),
        ("No key for kid", "UnsupportedKeyAlgorithmError"),
        lambda case: len(_names_of_ed25519(case)) == 2,
        "the header's name must be the JWK's; EdDSA and Ed25519 are one with that curve (RFC 9864 "
        "section 2.2)",
    ),
    Stricter(
        "no-ml-dsa",
        (PYJWT, JOSERFC),
        ("no key of that kid", "usable keys", "No keys to import", "is not supported"),
        _is("ML-DSA"),
        "RFC 9964 is newer than what they know",
    ),
    Stricter(
        "rs256-assumed",
        (PYJWT,),
        ("does not match the key's algorithm 'RS256'",),
        _alg_unstated,
        "PyJWT binds an RSA key without alg to RS256; RFC 7517 section 4.4 makes alg optional",
    ),
    Stricter(
        "kid-wanted",
        (PYJWT, JOSERFC),
        ("no key of that kid", "No key for kid"),
        lambda case: case.reading.header.get("kid") is None,
        "without a kid only a set of one key will do; RFC 7515 section 4.1.4 makes kid optional",
    ),
    Stricter(
        "first-of-a-kid",
        (PYJWT, JOSERFC),
        (
            "does not match the key's algorithm",
            "requires",
            "Key for",
            "no key of that kid",
            "No key for kid",
            "Signature",
            "UnsupportedKeyOperationError",
            "UnsupportedKeyAlgorithmError",
        ),
        _several_of_the_kid,
        "the first key of a kid is taken, also if of another kty, which RFC 7517 section 4.5 lets "
        "share a kid",
    ),
    Stricter(
        "same-key-twice",
        (JWCRYPTO,),
        ("Missing Key",),
        _one_key_twice,
        "of two JWKs of one key a set keeps one, be it the one that may not verify",
    ),
    Stricter(
        "one-bad-key-kills-the-set",
        ALL,
        ("set:",),
        _key_set_mutated,
        "a JWK that can't be read loses the whole set, or all of it was; RFC 7517 section 5 says to "
        "ignore it",
    ),
    Stricter(
        "texts-in-claims",
        ALL,
        ("must be a string", "must be a StringOrURI", "is not a StringOrURI"),
        _claim_not_text,
        "sub, jti and typ are checked to be text (RFC 7519 section 4.1); we leave claims that are "
        "not ours to the caller",
    ),
    Stricter(
        "members-of-a-header",
        (JOSERFC,),
        ("InvalidHeaderValueError", "UnsupportedHeaderError"),
        lambda case: len(case.reading.header) > 1,
        "the types of header members that we ignore (jku, x5c, …) are checked (RFC 7515 section 4.1)",
    ),
    Stricter(
        "seconds-cut",
        (PYJWT,),
        ("ExpiredSignatureError", "ImmatureSignatureError"),
        _fraction_at_the_edge,
        "int() cuts the fraction of a NumericDate, which RFC 7519 section 2 allows it to have",
    ),
)
