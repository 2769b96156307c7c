"""A mutant, and the maker that makes the same one of the same seed and number."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from keyvault_jwt import base64url
from tests.fuzz import spelling
from tests.fuzz.claim_mutations import CLAIM_MUTATIONS
from tests.fuzz.draft import AUDIENCE, ISSUER, NOW, Draft, Pairs
from tests.fuzz.header_mutations import HEADER_MUTATIONS
from tests.fuzz.holder import Holder, holders
from tests.fuzz.key_set_mutations import KEY_SET_MUTATIONS
from tests.fuzz.seed_set import SECRETS, SeedSet, seed_sets
from tests.fuzz.signature_mutations import SIGNATURE_CHANGES
from tests.fuzz.signed_inputs import SignedInputs
from tests.fuzz.text_mutations import TEXT_CHANGES

ASYMMETRIC = (
    "ES256", "ES384", "ES512", "Ed25519", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
    "ML-DSA-44", "ML-DSA-65", "ML-DSA-87",
)  # fmt: skip
_WEIGHTS = {"Ed25519": 22, "EdDSA": 22, "ES256": 22, "ES384": 2, "ES512": 2, "RS": 1.5, "PS": 0.3, "ML": 2}
_PLACES = ("header", "claims", "spelling", "signature", "text", "keys", "signer", "splice", "none")
_PLACE_WEIGHTS = (20, 20, 8, 14, 10, 16, 5, 4, 3)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A token, the key set that it meets, and what the verifier was told; `trail` says how it was made."""

    number: int
    token: Any
    keys: bytes
    symmetric: bool
    allowed: tuple[str, ...]
    typ: str | None
    trail: tuple[str, ...]
    whole_keys: bool
    dice: random.Random

    def __str__(self) -> str:
        return (
            f"mutations: {', '.join(self.trail)}\nallowed: {', '.join(self.allowed)}; typ: {self.typ}\n"
            f"token: {self.token!r}\nkeys: {self.keys!r}"
        )


class Maker:
    """Makes mutants of one seed; what it signs goes into `signed`, under what was signed at the start."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        made = holders(random.Random(f"holders of {seed}"))
        self._others = tuple(made.values())
        self.seeds = seed_sets(made)
        self._data = {each.name: each.data for each in self.seeds}
        self._signed_at_start = SignedInputs()
        self.signed = SignedInputs(self._signed_at_start)
        self._tokens = {
            (seeds.name, holder.name, algorithm): self._valid(seeds, holder, algorithm)
            for seeds in self.seeds
            for holder, algorithm in _speakers(seeds)
        }

    def forget(self) -> None:
        """Forget what was signed since the start, when no mutant made of it is left."""
        self.signed = SignedInputs(self._signed_at_start)

    @property
    def valid(self) -> dict[tuple[str, str, str], str]:
        """The valid tokens, by set, holder and algorithm."""
        return self._tokens

    def make(self, number: int) -> Mutant:
        """Return the mutant of that number."""
        dice = random.Random(f"{self._seed}:{number}")
        places = dict.fromkeys(dice.choices(_PLACES, _PLACE_WEIGHTS, k=dice.choice((1, 1, 1, 2, 2, 3))))
        draft = self._draft(dice, few="keys" in places)
        for place, mutations in (
            ("header", HEADER_MUTATIONS),
            ("claims", CLAIM_MUTATIONS),
            ("keys", KEY_SET_MUTATIONS),
        ):
            for _ in range(dice.choice((1, 1, 2)) if place in places else 0):
                if mutations is KEY_SET_MUTATIONS and not draft.keys:
                    break
                name = dice.choice(list(mutations))
                draft.trail.append(name)
                mutations[name](draft)
        return self._finished(number, draft, places)

    def _draft(self, dice: random.Random, *, few: bool) -> Draft:
        seeds = dice.choices(self.seeds, (30, 20, 12, 5, 5, 3, 2, 23))[0]
        holder, algorithm = dice.choices(
            speakers := _speakers(seeds), [_WEIGHTS.get(it[1], _WEIGHTS.get(it[1][:2], 5)) for it in speakers]
        )[0]
        allowed = SECRETS if seeds.symmetric else ASYMMETRIC
        if dice.random() < 0.15:
            allowed = dice.choice([(algorithm,), tuple(it for it in allowed if it != algorithm), allowed[:1]])
        typ = dice.choice(["JWT", "at+jwt"]) if dice.random() < 0.06 else None
        header, claims = _header(seeds, holder, algorithm), list(_CLAIMS)
        own = dict(seeds.keys[seeds.holders.index(holder)])
        keys = [own]
        if few:
            # A few neighbours are enough to be mistaken for, and are quickly read.
            keys += [dict(it) for it in dice.sample(seeds.keys, dice.randrange(min(4, len(seeds.keys))))]
            dice.shuffle(keys)
        draft = Draft(dice, seeds, holder, algorithm, self._others, header, claims, keys, own, self.signed)
        draft.allowed, draft.typ = allowed, typ
        return draft

    def _finished(self, number: int, draft: Draft, places: dict[str, None]) -> Mutant:
        token: Any = self._token(draft, places)
        if "text" in places and token:
            name = draft.dice.choice(list(TEXT_CHANGES))
            draft.trail.append(name)
            token = TEXT_CHANGES[name](token, draft.dice)
        whole = "keys" not in places
        keys = self._data[draft.seeds.name] if whole else draft.set_text
        if keys is None:
            keys = spelling.plain([("keys", draft.keys)]).encode()
        trail = (draft.seeds.name, draft.algorithm, *draft.trail)
        return Mutant(
            number, token, keys, draft.seeds.symmetric, draft.allowed, draft.typ, trail, whole, draft.dice
        )

    def _token(self, draft: Draft, places: dict[str, None]) -> str:
        dice, valid = draft.dice, self._tokens[draft.seeds.name, draft.holder.name, draft.algorithm]
        segments = valid.split(".")
        same = not places.keys() & {"header", "claims", "spelling", "signer"}
        if not same:
            segments[:2] = self._segments(draft, places, segments)
            # Forged more often than signed: whoever holds no key can do it, too.
            if "signer" in places or dice.random() < 0.6:
                segments[2] = self._signature(draft, places, ".".join(segments[:2]))
        if "splice" in places:
            self._splice(draft, segments)
        if "signature" in places:
            name = dice.choice(list(SIGNATURE_CHANGES))
            draft.trail.append(name)
            before = ".".join(segments[:2]).encode("utf-8", "surrogatepass")
            try:
                segments[2] = base64url.encode(
                    SIGNATURE_CHANGES[name](draft, base64url.decode(segments[2]), before)
                )
            except ValueError:
                segments[2] = ""
        return ".".join(segments)

    def _segments(self, draft: Draft, places: dict[str, None], valid: list[str]) -> list[str]:
        parts = [spelling.plain(draft.header).encode(), spelling.plain(draft.claims).encode()]
        if "spelling" not in places:
            return [base64url.encode(part) for part in parts]
        which, kind = draft.dice.randrange(2), draft.dice.random()
        if kind < 0.6:
            name, parts[which] = spelling.odd((draft.header, draft.claims)[which], draft.dice)
            draft.trail.append(f"{('header', 'claims')[which]}-{name}")
        segments = [base64url.encode(part) for part in parts]
        if kind > 0.5:
            name, segments[which] = spelling.segment(parts[which], draft.dice)
            draft.trail.append(f"{('header', 'claims')[which]}-segment-{name}")
        return segments

    def _signature(self, draft: Draft, places: dict[str, None], signing_input: str) -> str:
        """Sign anew: mostly by the holder and as the header says; at times by another, or otherwise."""
        holder, algorithm = draft.signer or draft.holder, draft.signed_as or draft.algorithm
        stated = dict(draft.header).get("alg")
        if not draft.signed_as and isinstance(stated, str) and stated in holder.algorithms:
            algorithm = stated
        if "signer" in places:
            draft.trail.append("signer")
            holder = draft.dice.choice([draft.holder, draft.dice.choice(self._others)])
            algorithm = draft.dice.choice(holder.algorithms)
        else:
            draft.trail.append("signed")
        if algorithm not in holder.algorithms:
            algorithm = holder.algorithms[0]
        data = signing_input.encode("utf-8", "surrogatepass")
        return base64url.encode(self.signed.sign(holder, algorithm, data))

    def _splice(self, draft: Draft, segments: list[str]) -> None:
        """A segment of another valid token in place of this one's."""
        draft.trail.append("splice")
        other = draft.dice.choice(list(self._tokens.values())).split(".")
        at = draft.dice.randrange(3)
        segments[at] = other[at]

    def _valid(self, seeds: SeedSet, holder: Holder, algorithm: str) -> str:
        # A different sub in each, so that what is spliced from one into another shows.
        claims = [*_CLAIMS[:-1], ("sub", f"{seeds.name} {holder.name} {algorithm}")]
        parts = (spelling.plain(_header(seeds, holder, algorithm)), spelling.plain(claims))
        text = ".".join(base64url.encode(part.encode()) for part in parts)
        return f"{text}.{base64url.encode(self._signed_at_start.sign(holder, algorithm, text.encode()))}"


_CLAIMS: Pairs = [
    ("iss", ISSUER), ("aud", AUDIENCE), ("iat", NOW - 60), ("exp", NOW + 600), ("jti", "j-1"),
    ("sub", "someone"),
]  # fmt: skip


def _header(seeds: SeedSet, holder: Holder, algorithm: str) -> Pairs:
    kid = seeds.keys[seeds.holders.index(holder)].get("kid")
    named = [] if kid is None else [("kid", kid)]
    return [("alg", algorithm), *named, ("typ", "JWT")]


def _speakers(seeds: SeedSet) -> list[tuple[Holder, str]]:
    """Return who signs for the set, and with which algorithms: the JWK's own, or all that its key can."""
    pairs = []
    for members, holder in zip(seeds.keys, seeds.holders, strict=True):
        stated = members.get("alg")
        names = holder.algorithms if stated in (None, "EdDSA", "Ed25519") else (stated,)
        pairs += [(holder, name) for name in names]
    return pairs
