"""Changes to a header's members."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fuzz.draft import Draft, drop, put
from tests.fuzz.odd_values import any_value, near

Mutation = Callable[[Draft], None]
_ALGORITHMS: tuple[str, ...] = (
    "none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384",
    "PS512",
    "ES256", "ES384", "ES512", "ES256K", "ES521", "EdDSA", "Ed25519", "Ed448", "ML-DSA-44", "ML-DSA-65",
    "ML-DSA-87",
    "RSA-OAEP", "dir", "A128KW", "RSA1_5", "ECDH-ES", "HS1", "", "es256", "Es256", "ES-256",
)  # fmt: skip


def _algorithm(draft: Draft) -> None:
    put(draft.header, "alg", draft.dice.choice(_ALGORITHMS))


def _algorithm_of_any_type(draft: Draft) -> None:
    put(
        draft.header,
        "alg",
        draft.dice.choice([any_value(draft.dice), [draft.algorithm], near(draft.algorithm, draft.dice)]),
    )


def _no_member(draft: Draft) -> None:
    drop(draft.header, draft.dice.choice(draft.header)[0])


def _no_kid(draft: Draft) -> None:
    drop(draft.header, "kid")


def _kid_of_another(draft: Draft) -> None:
    other = draft.dice.choice(draft.seeds.keys)
    put(draft.header, "kid", other.get("kid", "made up"))


def _odd_kid(draft: Draft) -> None:
    kid = draft.own.get("kid", "made up")
    near_kid = near(kid, draft.dice) if isinstance(kid, str) else "made up"
    put(draft.header, "kid", draft.dice.choice([any_value(draft.dice), near_kid, [kid], {"kid": kid}]))


def _typ(draft: Draft) -> None:
    types = ["JWT", "jwt", "application/jwt", "at+jwt", "AT+JWT", "application/at+jwt", "JOSE", "", "a/b"]
    put(draft.header, "typ", draft.dice.choice([*types, any_value(draft.dice)]))


def _crit(draft: Draft) -> None:
    odd: list[Any] = [
        [],
        ["exp"],
        ["alg"],
        ["b64"],
        ["made-up"],
        ["kid", "kid"],
        "exp",
        {},
        None,
        True,
        [1],
        [[]],
        "",
    ]
    put(draft.header, "crit", draft.dice.choice(odd))
    if draft.dice.random() < 0.3:
        put(draft.header, "made-up", 1)


def _b64(draft: Draft) -> None:
    put(draft.header, "b64", draft.dice.choice([False, True, "false", None, 0, 1]))
    if draft.dice.random() < 0.5:
        put(draft.header, "crit", ["b64"])


def _key_within(draft: Draft) -> None:
    """A key, or a place to fetch one, that the token brings along (RFC 8725 section 3.10)."""
    other = draft.dice.choice(draft.others)
    url = draft.dice.choice(
        ["https://evil.example/keys", "http://169.254.169.254/", "file:///etc/passwd", 1, None]
    )
    name = draft.dice.choice(["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"])
    values: dict[str, Any] = {"jwk": other.members, "x5c": draft.dice.choice([["AAAA"], "AAAA", [], [1]])}
    put(draft.header, name, values.get(name, url))
    if draft.dice.random() < 0.5:
        draft.signer = other
        draft.signed_as = other.algorithms[0]


def _extra(draft: Draft) -> None:
    names = (
        "zip",
        "enc",
        "cty",
        "epk",
        "p2c",
        "iv",
        "tag",
        "apu",
        "exp",
        "aud",
        "",
        "ALG",
        "Kid",
        "\u0430lg",
        "é",
    )
    value = draft.dice.choice([any_value(draft.dice), "DEF", "A128GCM", 10**9, "JWT", "x" * 600])
    put(draft.header, draft.dice.choice(names), value)


def _duplicate(draft: Draft) -> None:
    """A second member of a name: which of the two counts differs among readers (RFC 7515 section 4)."""
    name, value = draft.dice.choice(draft.header)
    other = draft.dice.choice([value, any_value(draft.dice), draft.dice.choice(_ALGORITHMS)])
    draft.header.insert(draft.dice.randrange(len(draft.header) + 1), (name, other))


def _order(draft: Draft) -> None:
    draft.dice.shuffle(draft.header)


def _huge(draft: Draft) -> None:
    put(draft.header, "x", "x" * draft.dice.choice([400, 5000, 6100, 6200, 70_000]))


HEADER_MUTATIONS: dict[str, Mutation] = {
    "alg": _algorithm,
    "alg-any": _algorithm_of_any_type,
    "no-member": _no_member,
    "no-kid": _no_kid,
    "kid-of-another": _kid_of_another,
    "kid-odd": _odd_kid,
    "typ": _typ,
    "crit": _crit,
    "b64": _b64,
    "key-within": _key_within,
    "header-extra": _extra,
    "header-duplicate": _duplicate,
    "header-order": _order,
    "header-huge": _huge,
}
