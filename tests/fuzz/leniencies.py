"""What other libraries don't look at, so that they accept what we refuse."""

from __future__ import annotations

from tests.fuzz.rule import ALL, JOSERFC, JWCRYPTO, PYJWT, NotLookedAt


def _lenient(name: str, judges: tuple[str, ...], reasons: str, why: str) -> NotLookedAt:
    return NotLookedAt(name, judges, frozenset(reasons.split()), why)


NOT_LOOKED_AT = (
    _lenient(
        "python-json",
        ALL,
        "header-json claims-json set",
        "json.loads takes UTF-16 and UTF-32, NaN, Infinity, 1e400 and lone surrogates; RFC 8259 sections 6 "
        "and 8.1 have none of them",
    ),
    _lenient(
        "typ-not-asked-for", ALL, "typ", "none of them can be told the header's typ (RFC 8725 section 3.11)"
    ),
    _lenient(
        "typ-of-any-type", (PYJWT, JWCRYPTO), "typ-type", "typ is not read; RFC 7515 section 4.1.9 wants text"
    ),
    _lenient(
        "last-of-two-names",
        ALL,
        "header-duplicate",
        "RFC 7515 section 4 lets a reader take the last of two members of one name, or refuse; we refuse",
    ),
    _lenient(
        "no-cap", (PYJWT, JWCRYPTO, JOSERFC), "size", "no cap on a token's or header's size, or another one"
    ),
    _lenient(
        "crit-understood",
        ALL,
        "crit",
        "they know b64, and jwcrypto and joserfc take any listed member that they know, or an empty "
        "list, which "
        "RFC 7515 section 4.1.11 forbids; we know no extension, so there is none that we could honour",
    ),
    _lenient(
        "b64-true", ALL, "b64", "RFC 7797 section 3: true is what holds without it; we take no b64 at all"
    ),
    _lenient(
        "enc-ignored",
        ALL,
        "enc",
        "enc has no meaning in a JWS; we refuse it as a mark of a JWE (RFC 7516 section 9)",
    ),
    _lenient("short-rsa", ALL, "weak", "RFC 7518 section 3.3 asks for 2048 bits; they warn, or say nothing"),
    _lenient(
        "first-or-any-that-fits",
        ALL,
        "ambiguous",
        "of several keys that a header may mean they take the first, or try each (RFC 7517 section "
        "4.5); we refuse",
    ),
    _lenient(
        "contested-kid", ALL, "contested", "a second JWK of the kid that can't be read is no reason to them"
    ),
    _lenient(
        "alg-of-jwk",
        ALL,
        "jwk-alg alg-of-key",
        "the alg of a JWK is not compared, or made up from its kty when absent (RFC 7517 section 4.4 "
        "makes it "
        "optional; RFC 8725 section 3.1 wants one key for one algorithm)",
    ),
    _lenient("use-of-jwk", ALL, "jwk-use", "only some values of use are told apart (RFC 7517 section 4.2)"),
    _lenient(
        "key-ops-of-jwk",
        ALL,
        "jwk-key-ops",
        "key_ops is not compared, or not its type (RFC 7517 section 4.3)",
    ),
    _lenient(
        "private-members", ALL, "jwk-private mixed", "a private key verifies as well; we take it for leaked"
    ),
    _lenient(
        "jwk-numbers", ALL, "jwk-spelling", "lenient base64 in a JWK; RFC 7518 section 2 has one spelling"
    ),
    _lenient(
        "short-secrets", ALL, "jwk-strength", "RFC 7518 section 3.2 asks for the hash's size; they warn only"
    ),
    _lenient("kid-of-any-type", ALL, "jwk-kid kid-type", "RFC 7517 section 4.5: a kid is text"),
    _lenient(
        "kid-by-thumbprint",
        (JOSERFC,),
        "kid-unlisted",
        "joserfc gives a JWK without a kid its thumbprint for one, which is the kid of the token",
    ),
    _lenient(
        "nbf-not-named",
        (JWCRYPTO,),
        "immature immature-by-a-fraction nbf-type",
        "nbf is checked when named, and then it is required",
    ),
    _lenient(
        "iat-not-checked",
        (JWCRYPTO,),
        "from-the-future from-the-future-by-a-fraction iat-type",
        "RFC 7519 section 4.1.6 gives iat no check",
    ),
    _lenient(
        "the-very-second",
        (JWCRYPTO,),
        "expired-just-now",
        "exp itself passes; RFC 7519 section 4.1.4: on or after",
    ),
    _lenient(
        "numbers-as-text",
        (PYJWT,),
        "exp-type nbf-type iat-type",
        'int() takes "1" and true; NumericDate is a number',
    ),
    _lenient(
        "lenient-base64",
        (PYJWT, JWCRYPTO),
        "spelling",
        "padding, or all but the alphabet, is let pass (RFC 7515 section 2)",
    ),
    _lenient(
        "signs-what-it-decoded",
        (JWCRYPTO,),
        "signed-in-another-spelling",
        "jwcrypto encodes again what it decoded, and so checks another text than the token's (RFC "
        "7515 section 5.2)",
    ),
    _lenient(
        "fraction-cut",
        (PYJWT,),
        "immature-by-a-fraction from-the-future-by-a-fraction",
        "int() cuts the fraction of a NumericDate, which RFC 7519 section 2 allows it to have",
    ),
    _lenient(
        "halves-of-any-width",
        (JWCRYPTO,),
        "signature-width",
        "r and s are the halves, however long; RFC 7518 section 3.4 has them at the curve's width",
    ),
    _lenient(
        "coordinates-of-any-width",
        (JOSERFC, JWCRYPTO),
        "jwk-width",
        "x and y are integers to them, with zeros before or not; RFC 7518 section 6.2.1.2 has one width",
    ),
    _lenient(
        "blank-curve",
        (JWCRYPTO,),
        "jwk-no-curve",
        "an empty crv of any type is filled in from the header's alg; RFC 7518 section 6.2.1.1 wants a name",
    ),
    _lenient("bytearray", (JOSERFC,), "no-text", "joserfc takes whatever bytes() takes"),
)
