"""Why another library may judge otherwise than we do: the rules by which a disagreement is explained.

Where they accept what we refuse, every reason for the refusal must be one that the library is known not
to look at.  Where they refuse what we accept, the library's own words must say so, and the mutant must be
such that the rule is about it.  What no rule explains fails the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.fuzz.draft import LEEWAY, NOW
from tests.fuzz.model import Reading
from tests.fuzz.model_keys import ModelKey
from tests.fuzz.mutant import Mutant
from tests.fuzz.ours import Verdict

PYJWT, JOSERFC, JWCRYPTO = "pyjwt", "joserfc", "jwcrypto"
ALL = (PYJWT, JOSERFC, JWCRYPTO)


@dataclass(frozen=True, slots=True)
class Case:
    """A disagreement: the library, the mutant, what the model says of it, and the library's verdict."""

    judge: str
    mutant: Mutant
    reading: Reading
    theirs: Verdict


@dataclass(frozen=True, slots=True)
class NotLookedAt:
    """Reasons of the model's that these libraries don't look at, so that they accept."""

    name: str
    judges: tuple[str, ...]
    reasons: frozenset[str]
    why: str


@dataclass(frozen=True, slots=True)
class Stricter:
    """A refusal by these libraries, in these words, of what is good by the RFCs."""

    name: str
    judges: tuple[str, ...]
    words: tuple[str, ...]
    about: Callable[[Case], bool]
    why: str


def explanation(case: Case) -> tuple[str, ...]:
    """Return the names of the rules that explain the disagreement; none if something is left over."""
    if not case.theirs.accepted:
        return next(((rule.name,) for rule in STRICTER if _applies(rule, case)), ())
    # Two secrets that are one to HMAC are two keys to us: the model can't say which it is.
    reasons = case.reading.reasons | (set() if case.reading.sure else {"ambiguous"})
    rules = [rule for rule in NOT_LOOKED_AT if case.judge in rule.judges and rule.reasons & reasons]
    left = reasons.difference(*(rule.reasons for rule in rules))
    return () if left else tuple(rule.name for rule in rules)


def _applies(rule: Stricter, case: Case) -> bool:
    said = case.theirs.reason
    return case.judge in rule.judges and any(it in said for it in rule.words) and rule.about(case)


def _lenient(name: str, judges: tuple[str, ...], reasons: str, why: str) -> NotLookedAt:
    return NotLookedAt(name, judges, frozenset(reasons.split()), why)


NOT_LOOKED_AT = (
    _lenient(
        "python-json", ALL, "header-json claims-json set",
        "json.loads takes UTF-16 and UTF-32, NaN, Infinity, 1e400 and lone surrogates; RFC 8259 sections 6 "
        "and 8.1 have none of them",
    ),
    _lenient("typ-not-asked-for", ALL, "typ", "none of them can be told the header's typ (RFC 8725 section 3.11)"),
    _lenient("typ-of-any-type", (PYJWT, JWCRYPTO), "typ-type", "typ is not read; RFC 7515 section 4.1.9 wants text"),
    _lenient(
        "last-of-two-names", ALL, "header-duplicate",
        "RFC 7515 section 4 lets a reader take the last of two members of one name, or refuse; we refuse",
    ),
    _lenient("no-cap", (PYJWT, JWCRYPTO, JOSERFC), "size", "no cap on a token's or header's size, or another one"),
    _lenient(
        "crit-understood", ALL, "crit",
        "they know b64, and jwcrypto and joserfc take any listed member that they know, or an empty list, which "
        "RFC 7515 section 4.1.11 forbids; we know no extension, so there is none that we could honour",
    ),
    _lenient("b64-true", ALL, "b64", "RFC 7797 section 3: true is what holds without it; we take no b64 at all"),
    _lenient("enc-ignored", ALL, "enc", "enc has no meaning in a JWS; we refuse it as a mark of a JWE (RFC 7516 section 9)"),
    _lenient("short-rsa", ALL, "weak", "RFC 7518 section 3.3 asks for 2048 bits; they warn, or say nothing"),
    _lenient(
        "first-or-any-that-fits", ALL, "ambiguous",
        "of several keys that a header may mean they take the first, or try each (RFC 7517 section 4.5); we refuse",
    ),
    _lenient("contested-kid", ALL, "contested", "a second JWK of the kid that can't be read is no reason to them"),
    _lenient(
        "alg-of-jwk", ALL, "jwk-alg alg-of-key",
        "the alg of a JWK is not compared, or made up from its kty when absent (RFC 7517 section 4.4 makes it "
        "optional; RFC 8725 section 3.1 wants one key for one algorithm)",
    ),
    _lenient("use-of-jwk", ALL, "jwk-use", "only some values of use are told apart (RFC 7517 section 4.2)"),
    _lenient("key-ops-of-jwk", ALL, "jwk-key-ops", "key_ops is not compared, or not its type (RFC 7517 section 4.3)"),
    _lenient("private-members", ALL, "jwk-private mixed", "a private key verifies as well; we take it for leaked"),
    _lenient("jwk-numbers", ALL, "jwk-spelling", "lenient base64 in a JWK; RFC 7518 section 2 has one spelling"),
    _lenient("short-secrets", ALL, "jwk-strength", "RFC 7518 section 3.2 asks for the hash's size; they warn only"),
    _lenient("kid-of-any-type", ALL, "jwk-kid kid-type", "RFC 7517 section 4.5: a kid is text"),
    _lenient(
        "kid-by-thumbprint", (JOSERFC,), "kid-unlisted",
        "joserfc gives a JWK without a kid its thumbprint for one, which is the kid of the token",
    ),
    _lenient("nbf-not-named", (JWCRYPTO,), "immature immature-by-a-fraction nbf-type", "nbf is checked when named, and then it is required"),
    _lenient("iat-not-checked", (JWCRYPTO,), "from-the-future from-the-future-by-a-fraction iat-type", "RFC 7519 section 4.1.6 gives iat no check"),
    _lenient("the-very-second", (JWCRYPTO,), "expired-just-now", "exp itself passes; RFC 7519 section 4.1.4: on or after"),
    _lenient("numbers-as-text", (PYJWT,), "exp-type nbf-type iat-type", "int() takes \"1\" and true; NumericDate is a number"),
    _lenient("lenient-base64", (PYJWT, JWCRYPTO), "spelling", "padding, or all but the alphabet, is let pass (RFC 7515 section 2)"),
    _lenient(
        "signs-what-it-decoded", (JWCRYPTO,), "signed-in-another-spelling",
        "jwcrypto encodes again what it decoded, and so checks another text than the token's (RFC 7515 section 5.2)",
    ),
    _lenient(
        "fraction-cut", (PYJWT,), "immature-by-a-fraction from-the-future-by-a-fraction",
        "int() cuts the fraction of a NumericDate, which RFC 7519 section 2 allows it to have",
    ),
    _lenient(
        "halves-of-any-width", (JWCRYPTO,), "signature-width",
        "r and s are the halves, however long; RFC 7518 section 3.4 has them at the curve's width",
    ),
    _lenient("bytearray", (JOSERFC,), "no-text", "joserfc takes whatever bytes() takes"),
)  # fmt: skip
"""What they don't look at."""


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
        "no-ed25519", (PYJWT,),
        ("Token algorithm 'Ed25519' does not match", "no key of that kid", "usable keys"),
        lambda case: "Ed25519" in _names_of_ed25519(case),
        "PyJWT knows the name EdDSA only, in headers and in JWKs (RFC 9864 section 2.2 is newer)",
    ),
    Stricter(
        "two-names-of-ed25519", (JOSERFC,), ("No key for kid", "UnsupportedKeyAlgorithmError"),
        lambda case: len(_names_of_ed25519(case)) == 2,
        "the header's name must be the JWK's; EdDSA and Ed25519 are one with that curve (RFC 9864 section 2.2)",
    ),
    Stricter(
        "no-ml-dsa", (PYJWT, JOSERFC), ("no key of that kid", "usable keys", "No keys to import", "is not supported"),
        _is("ML-DSA"), "RFC 9964 is newer than what they know",
    ),
    Stricter(
        "rs256-assumed", (PYJWT,), ("does not match the key's algorithm 'RS256'",), _alg_unstated,
        "PyJWT binds an RSA key without alg to RS256; RFC 7517 section 4.4 makes alg optional",
    ),
    Stricter(
        "kid-wanted", (PYJWT, JOSERFC), ("no key of that kid", "No key for kid"),
        lambda case: case.reading.header.get("kid") is None,
        "without a kid only a set of one key will do; RFC 7515 section 4.1.4 makes kid optional",
    ),
    Stricter(
        "first-of-a-kid", (PYJWT, JOSERFC),
        ("does not match the key's algorithm", "requires", "Key for", "no key of that kid", "No key for kid", "Signature",
         "UnsupportedKeyOperationError", "UnsupportedKeyAlgorithmError"),
        _several_of_the_kid,
        "the first key of a kid is taken, also if of another kty, which RFC 7517 section 4.5 lets share a kid",
    ),
    Stricter(
        "same-key-twice", (JWCRYPTO,), ("Missing Key",), _one_key_twice,
        "of two JWKs of one key a set keeps one, be it the one that may not verify",
    ),
    Stricter(
        "one-bad-key-kills-the-set", ALL, ("set:",), _key_set_mutated,
        "a JWK that can't be read loses the whole set, or all of it was; RFC 7517 section 5 says to ignore it",
    ),
    Stricter(
        "texts-in-claims", ALL, ("must be a string", "must be a StringOrURI", "is not a StringOrURI"), _claim_not_text,
        "sub, jti and typ are checked to be text (RFC 7519 section 4.1); we leave claims that are not ours to the caller",
    ),
    Stricter(
        "members-of-a-header", (JOSERFC,), ("InvalidHeaderValueError", "UnsupportedHeaderError"),
        lambda case: len(case.reading.header) > 1,
        "the types of header members that we ignore (jku, x5c, …) are checked (RFC 7515 section 4.1)",
    ),
    Stricter(
        "seconds-cut", (PYJWT,), ("ExpiredSignatureError", "ImmatureSignatureError"), _fraction_at_the_edge,
        "int() cuts the fraction of a NumericDate, which RFC 7519 section 2 allows it to have",
    ),
)  # fmt: skip
"""What they refuse."""
