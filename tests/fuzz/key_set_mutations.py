"""Changes to a key set: to the holder's own JWK, to its neighbours, and to the set as a whole."""

from __future__ import annotations

import json
import random
from typing import Any

from keyvault_jwt import base64url
from tests.fuzz import spelling
from tests.fuzz.draft import Draft, Raw
from tests.fuzz.header_mutations import Mutation
from tests.fuzz.odd_values import any_value, near
from tests.fuzz.seed_set import Members

_NUMBERS = ("n", "e", "x", "y", "pub", "k")


def _own(draft: Draft) -> Members:
    """The JWK to change: mostly the holder's own, since others are seldom looked at."""
    if draft.own not in draft.keys or draft.dice.random() < 0.1:
        return draft.dice.choice(draft.keys)
    return draft.own


def _remove_member(draft: Draft) -> None:
    own = _own(draft)
    if own:
        del own[draft.dice.choice(list(own))]


def _retype_member(draft: Draft) -> None:
    own = _own(draft)
    own[draft.dice.choice([*own, "kid", "use", "alg", "key_ops"])] = any_value(draft.dice)


def _swap_member(draft: Draft) -> None:
    own, other = _own(draft), draft.dice.choice(draft.keys)
    shared = [name for name in own if name in other]
    if shared:
        name = draft.dice.choice(shared)
        own[name], other[name] = other[name], own[name]


def _kty(draft: Draft) -> None:
    _own(draft)["kty"] = draft.dice.choice(["RSA", "EC", "OKP", "AKP", "oct", "rsa", "ec", "", "LWE"])


def _crv(draft: Draft) -> None:
    curves = ["P-256", "P-384", "P-521", "secp256k1", "Ed25519", "Ed448", "X25519", "p-256"]
    _own(draft)["crv"] = draft.dice.choice(curves)


def _alg(draft: Draft) -> None:
    algorithms = [
        "RS256",
        "PS256",
        "RS512",
        "ES256",
        "ES384",
        "EdDSA",
        "Ed25519",
        "HS256",
        "none",
        "RSA-OAEP",
    ]
    algorithms += ["ML-DSA-44", "ML-DSA-87", "es256", draft.algorithm]
    _own(draft)["alg"] = draft.dice.choice(algorithms)


def _purpose(draft: Draft) -> None:
    own = _own(draft)
    if draft.dice.random() < 0.5:
        own["use"] = draft.dice.choice(["enc", "sig", "SIG", "", None, ["sig"], "verify"])
    else:
        operations = [
            ["sign"],
            ["verify"],
            ["sign", "verify"],
            ["encrypt"],
            [],
            "verify",
            None,
            ["verify", "verify"],
        ]
        own["key_ops"] = draft.dice.choice(
            [*operations, [1, "verify"], ["deriveKey", "verify"], {"verify": 1}]
        )


def _private(draft: Draft) -> None:
    own = _own(draft)
    if draft.dice.random() < 0.5:
        own |= draft.dice.choice(
            [draft.holder.private, {"k": "AAAA"}, {"d": ""}, {"oth": []}, {"priv": None}]
        )
    else:
        own["d"] = None


def _number(draft: Draft) -> None:
    """A number of the key, changed or spelled otherwise."""
    own = _own(draft)
    there = [name for name in _NUMBERS if isinstance(own.get(name), str)]
    if not there:
        return
    name = draft.dice.choice(there)
    try:
        raw = base64url.decode(own[name])
    except ValueError:
        return
    own[name] = draft.dice.choice(_CHANGES)(raw, draft.dice)


def _flipped(raw: bytes, dice: random.Random) -> str:
    if not raw:
        return "AA"
    changed = bytearray(raw)
    changed[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
    return base64url.encode(bytes(changed))


_CHANGES: tuple[Any, ...] = (
    _flipped,
    _flipped,
    lambda raw, _: base64url.encode(b"\x00" + raw),
    lambda raw, _: base64url.encode(raw[:-1]),
    lambda raw, _: base64url.encode(raw.lstrip(b"\x00") or b"\x01"),
    lambda raw, _: base64url.encode(raw + b"\x00"),
    lambda raw, _: base64url.encode(bytes(len(raw))),
    lambda raw, _: base64url.encode(raw * 40),
    lambda *_: "AQ",
    lambda *_: "",
    lambda raw, dice: spelling.segment(raw, dice)[1],
    lambda raw, dice: spelling.segment(raw, dice)[1],
)


def _kid(draft: Draft) -> None:
    own, other = _own(draft), draft.dice.choice(draft.keys)
    kid = own.get("kid", "made up")
    odd = near(kid, draft.dice) if isinstance(kid, str) else "made up"
    own["kid"] = draft.dice.choice([other.get("kid"), other.get("kid", kid), odd, any_value(draft.dice)])


def _no_kid(draft: Draft) -> None:
    _own(draft).pop("kid", None)


def _twin_key(draft: Draft) -> None:
    """The same kid on two keys: another key, the same key, or one that can't be read."""
    own, other = dict(_own(draft)), dict(draft.dice.choice(draft.keys))
    if "kid" in own:
        other["kid"] = own["kid"]
    twin = draft.dice.choice([other, other, own, {**own, "use": "enc"}, {**own, "x": "AA", "n": "AA"}])
    twin = {
        name: value for name, value in twin.items() if name not in draft.dice.choice([(), ("alg",), ("use",)])
    }
    draft.keys.insert(draft.dice.randrange(len(draft.keys) + 1), twin)


def _remove_key(draft: Draft) -> None:
    removed = _own(draft)
    draft.keys[:] = [members for members in draft.keys if members is not removed]


def _strange_entry(draft: Draft) -> None:
    entry = draft.dice.choice(
        [any_value(draft.dice), {}, {"kty": "oct", "k": "AAAA"}, {"kty": "RSA"}, {"kty": 1}, []]
    )
    secret = {
        "kty": "oct",
        "k": base64url.encode(b"s" * 64),
        "alg": "HS256",
        "kid": draft.own.get("kid", "x"),
    }
    entry = draft.dice.choice([entry, secret])
    draft.set_text = (
        json.dumps({"keys": [*draft.keys, entry]}).encode() if not isinstance(entry, Raw) else None
    )


def _whole(draft: Draft) -> None:
    keys: list[Any] = draft.keys
    others: list[Any] = [
        keys, {"keys": {}}, {"keys": None}, {"keys": "x"}, {"Keys": keys}, {}, [], None, {"keys": []},
        {"keys": draft.own},
        {"keys": keys, "keyvault_jwt": {"ring": "r", "epoch": 1, "revision": 1}}, {"keys": keys,
        "keyvault_jwt": 1},
        {"keys": keys * 3}, {"keys": [keys]}, {"keys": keys, "extra": [1e300, None]},
    ]  # fmt: skip
    draft.set_text = json.dumps(draft.dice.choice(others)).encode()


def _spelled(draft: Draft) -> None:
    draft.set_text = spelling.odd([("keys", draft.keys)], draft.dice)[1]


def _duplicate_member(draft: Draft) -> None:
    """A JWK with a member twice; the last one counts (RFC 7517 section 4 lets a reader choose that)."""
    own = _own(draft)
    if not own:
        return
    name = draft.dice.choice(list(own))
    text = json.dumps({"keys": draft.keys})
    there = json.dumps(own)
    other = json.dumps(
        draft.dice.choice([own[name], any_value(draft.dice), draft.dice.choice(draft.keys).get(name)])
    )
    first = draft.dice.random() < 0.5
    again = f'{{"{name}": {other}, {there[1:]}' if first else f'{there[:-1]}, "{name}": {other}}}'
    draft.set_text = text.replace(there, again, 1).encode()


KEY_SET_MUTATIONS: dict[str, Mutation] = {
    "jwk-remove-member": _remove_member,
    "jwk-retype-member": _retype_member,
    "jwk-swap-member": _swap_member,
    "jwk-kty": _kty,
    "jwk-crv": _crv,
    "jwk-alg": _alg,
    "jwk-purpose": _purpose,
    "jwk-private": _private,
    "jwk-number": _number,
    "jwk-kid": _kid,
    "jwk-no-kid": _no_kid,
    "jwk-twin": _twin_key,
    "jwk-remove": _remove_key,
    "jwk-strange": _strange_entry,
    "jwk-duplicate-member": _duplicate_member,
    "set-whole": _whole,
    "set-spelling": _spelled,
}
