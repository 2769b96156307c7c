"""Our own verdict: the verifier warm and cold, with and without a memory; all must say the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from keyvault_jwt import jwks
from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.engine import CRYPTOGRAPHY, Engine
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.keyset import KeySet
from keyvault_jwt.verification_errors import InvalidToken, KeysUnavailable
from keyvault_jwt.verifier import Verifier
from tests.fuzz.draft import AUDIENCE, ISSUER, LEEWAY, NOW
from tests.fuzz.mutant import Mutant


@dataclass(frozen=True, slots=True)
class Verdict:
    """Accepted or not, the code or exception of a refusal, and the claims of an acceptance."""

    accepted: bool
    reason: str = ""
    claims: dict[str, Any] | None = None
    crash: str = ""


class _Still:
    """A clock that stands at `NOW`."""

    def wall(self) -> Instant:
        return NOW * 1000

    def monotonic(self) -> Milliseconds:
        return NOW * 1000


class _Given:
    """A key source that has one set and never another."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    def current(self) -> KeySet | None:
        return self._keys

    def find(self, kid: str | None, known: KeySet | None) -> KeySet:
        return self._keys

    async def afind(self, kid: str | None, known: KeySet | None) -> KeySet:
        return self._keys


class Ours:
    """Judges mutants; verifiers of whole sets stay from one mutant to the next, and so get warm."""

    def __init__(self, engine: Engine = CRYPTOGRAPHY) -> None:
        self._engine = engine
        self._warm: dict[tuple[Any, ...], Verifier] = {}

    def judge(self, mutant: Mutant) -> Verdict:
        """Return the verdict; what is no refusal of ours by code is a crash."""
        try:
            verifier = self._verifier(mutant)
        except KeyvaultJWTError as error:
            return Verdict(accepted=False, reason=f"set:{error.code}")
        except Exception as error:
            return Verdict(accepted=False, crash=f"reading the key set: {error!r}")
        return _asked(verifier, mutant.token)

    def judge_again(self, mutant: Mutant, first: Verdict) -> str:
        """Return what another, cold verifier and a second question differ in; "" if in nothing."""
        verifiers = [self._verifier(mutant), _verifier(_read(mutant), mutant, self._engine, remember=8)]
        for verifier in (*verifiers, verifiers[-1]):
            again = _asked(verifier, mutant.token)
            if again != first:
                return f"first {first}, then {again}"
        return ""

    def _verifier(self, mutant: Mutant) -> Verifier:
        if not mutant.whole_keys:
            return _verifier(_read(mutant), mutant, self._engine, remember=0)
        key = (mutant.keys, mutant.allowed, mutant.typ)
        found = self._warm.get(key)
        if found is None:
            remember = (0, 64)[mutant.number % 2]
            found = self._warm[key] = _verifier(_read(mutant), mutant, self._engine, remember=remember)
        return found


def _read(mutant: Mutant) -> KeySet:
    return KeySet(jwks.parse(mutant.keys, allow_symmetric=mutant.symmetric).keys)


def _verifier(keys: KeySet, mutant: Mutant, engine: Engine, *, remember: int) -> Verifier:
    return Verifier(
        _Given(keys),
        issuer=ISSUER,
        audience=AUDIENCE,
        algorithms=mutant.allowed,
        leeway=timedelta(seconds=LEEWAY),
        typ=mutant.typ,
        remember=remember,
        clock=_Still(),
        engine=engine,
    )


def _asked(verifier: Verifier, token: Any) -> Verdict:
    try:
        claims = verifier.verify(token)
    except (InvalidToken, KeysUnavailable) as error:
        return Verdict(accepted=False, reason=error.code)
    except Exception as error:
        return Verdict(accepted=False, crash=repr(error))
    return Verdict(accepted=True, claims=claims)
