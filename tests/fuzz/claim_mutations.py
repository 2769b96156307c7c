"""Changes to the claims."""

from __future__ import annotations

from tests.fuzz.draft import Draft, drop, put
from tests.fuzz.header_mutations import Mutation
from tests.fuzz.odd_values import any_value, audience, issuer, moment, near


def _moment(name: str) -> Mutation:
    return lambda draft: put(draft.claims, name, moment(draft.dice))


def _no_claim(draft: Draft) -> None:
    drop(draft.claims, draft.dice.choice(draft.claims)[0])


def _any(draft: Draft) -> None:
    name = draft.dice.choice(
        ["exp", "nbf", "iat", "iss", "aud", "sub", "jti", "typ", "scope", "", "ü", "exp "]
    )
    put(draft.claims, name, any_value(draft.dice))


def _duplicate(draft: Draft) -> None:
    """A second claim of a name: the last one counts (RFC 7519 section 4 lets a reader choose that)."""
    name, value = draft.dice.choice(draft.claims)
    values = {"exp": moment, "iat": moment, "nbf": moment, "aud": audience, "iss": issuer}
    other = values.get(name, any_value)(draft.dice)
    draft.claims.insert(
        draft.dice.randrange(len(draft.claims) + 1), (name, draft.dice.choice([value, other]))
    )


def _near_name(draft: Draft) -> None:
    at = draft.dice.randrange(len(draft.claims))
    name, value = draft.claims[at]
    draft.claims[at] = (near(name, draft.dice), value)


CLAIM_MUTATIONS: dict[str, Mutation] = {
    "exp": _moment("exp"),
    "nbf": _moment("nbf"),
    "iat": _moment("iat"),
    "aud": lambda draft: put(draft.claims, "aud", audience(draft.dice)),
    "iss": lambda draft: put(draft.claims, "iss", issuer(draft.dice)),
    "no-claim": _no_claim,
    "claim-any": _any,
    "claim-duplicate": _duplicate,
    "claim-name": _near_name,
}
