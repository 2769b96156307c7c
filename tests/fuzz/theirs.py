"""The verdicts of PyJWT, joserfc and jwcrypto, asked as their documentation says, for the same things."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from types import SimpleNamespace
from typing import Any, Protocol

import jwcrypto.jwk
import jwcrypto.jwt
import jwt
import jwt.api_jwt
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt
from joserfc.jws import JWSRegistry

from tests.fuzz.draft import AUDIENCE, ISSUER, LEEWAY, NOW
from tests.fuzz.mutant import Mutant
from tests.fuzz.ours import Verdict


class Judge(Protocol):
    """Another library: returns its claims, or raises."""

    name: str

    def read(self, keys: bytes) -> Any:
        """Return the key set as the library reads it."""
        ...

    def claims(self, mutant: Mutant, keys: Any) -> dict[str, Any]:
        """Return the claims of a token that it accepts."""
        ...


class PyJWT:
    """Its key set, and of that the first key of the kid, as `PyJWKClient` chooses it."""

    name = "pyjwt"

    def read(self, keys: bytes) -> Any:
        return jwt.PyJWKSet.from_json(keys.decode())

    def claims(self, mutant: Mutant, keys: Any) -> dict[str, Any]:
        usable = [key for key in keys.keys if key.public_key_use in ("sig", None)]
        kid = jwt.get_unverified_header(mutant.token).get("kid")
        fitting = [key for key in usable if key.key_id == kid] if kid is not None else usable
        if not fitting or (kid is None and len(fitting) > 1):
            raise jwt.PyJWKClientError("no key of that kid")
        return jwt.decode(
            mutant.token,
            fitting[0],
            algorithms=_both_names(mutant.allowed),
            issuer=ISSUER,
            audience=AUDIENCE,
            leeway=LEEWAY,
            options={"require": ["exp"]},
        )


class Joserfc:
    """Its limits of size are lifted to ours, and members of a header that it does not know are let pass."""

    name = "joserfc"

    def __init__(self) -> None:
        self._expected = joserfc_jwt.JWTClaimsRegistry(
            now=NOW,
            leeway=LEEWAY,
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
        )

    def read(self, keys: bytes) -> Any:
        return joserfc_jwk.KeySet.import_key_set(json.loads(keys))

    def claims(self, mutant: Mutant, keys: Any) -> dict[str, Any]:
        registry = JWSRegistry(algorithms=_both_names(mutant.allowed), strict_check_header=False)
        registry.max_header_length, registry.max_signature_length = 8192, 8192
        token = joserfc_jwt.decode(mutant.token, keys, registry=registry)
        self._expected.validate(token.claims)
        return token.claims


class Jwcrypto:
    """Told the claims to check; `nbf` is left out there, since naming it would make it required."""

    name = "jwcrypto"

    def read(self, keys: bytes) -> Any:
        return jwcrypto.jwk.JWKSet.from_json(keys.decode())

    def claims(self, mutant: Mutant, keys: Any) -> dict[str, Any]:
        text = mutant.token.decode("ascii") if isinstance(mutant.token, bytes) else mutant.token
        token = jwcrypto.jwt.JWT(
            algs=_both_names(mutant.allowed),
            check_claims={"iss": ISSUER, "aud": AUDIENCE, "exp": None},
            expected_type="JWS",
            strict_serialization=True,
        )
        token.leeway = LEEWAY
        token.deserialize(text, keys)
        return dict(json.loads(token.claims))


JUDGES: tuple[Callable[[], Judge], ...] = (PyJWT, Joserfc, Jwcrypto)


class Theirs:
    """Asks one library; the sets that stay the same are read once."""

    def __init__(self, judge: Judge) -> None:
        self.name = judge.name
        self._judge = judge
        self._sets: dict[bytes, Any] = {}

    def judge(self, mutant: Mutant) -> Verdict:
        """Return the verdict; whatever it raises is a refusal, since their faults are not counted here."""
        try:
            keys = self._sets.get(mutant.keys)
            if keys is None:
                keys = self._judge.read(mutant.keys)
                if mutant.whole_keys:
                    self._sets[mutant.keys] = keys
        except Exception as error:
            return Verdict(accepted=False, reason=f"set:{_told(error)}")
        try:
            return Verdict(accepted=True, claims=self._judge.claims(mutant, keys))
        except Exception as error:
            return Verdict(accepted=False, reason=_told(error))


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:80]}"


def _both_names(allowed: tuple[str, ...]) -> list[str]:
    """Return the allow-list with both names of Ed25519, which are one to us (RFC 9864 section 2.2)."""
    ed25519 = {"Ed25519", "EdDSA"}
    return [*allowed, *(ed25519 - set(allowed) if ed25519 & set(allowed) else ())]


@contextmanager
def standing_still() -> Iterator[None]:
    """Let it be `NOW` for the two libraries that can't be told the time."""

    class Still(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Still:
            return cls.fromtimestamp(NOW, tz or UTC)

    clocks: list[tuple[Any, str, Any]] = [
        (jwt.api_jwt, "datetime", Still),
        (jwcrypto.jwt, "time", SimpleNamespace(time=lambda: NOW)),
    ]
    whole = [getattr(module, name) for module, name, _ in clocks]
    for module, name, still in clocks:
        setattr(module, name, still)
    try:
        with warnings.catch_warnings():
            # Of short keys and old names: what they warn of is not what they decide.
            warnings.simplefilter("ignore")
            yield
    finally:
        for (module, name, _), before in zip(clocks, whole, strict=True):
            setattr(module, name, before)
