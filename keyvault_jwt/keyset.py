"""One generation of a key set: which key, if exactly one, a token's header means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from .algorithms import Algorithm, Verify
from .engine import CRYPTOGRAPHY, Engine
from .jwks import ParsedKey
from .verification_errors import AlgorithmRefused, AmbiguousKey, DeniedKey


@dataclass(frozen=True, slots=True)
class BoundKey:
    """A key bound to one algorithm: the only way in which a signature is ever checked."""

    key: ParsedKey
    algorithm: Algorithm
    verify: Verify = field(repr=False)


class KeySet:
    """An immutable set of keys; a change of any kind is a new set with a higher generation.

    `denied` holds kids and thumbprints that were withdrawn here, whatever the source says.
    """

    __slots__ = ("_bound", "_by_algorithm", "_by_kid", "denied", "generation", "keys")

    def __init__(
        self,
        keys: Iterable[ParsedKey],
        *,
        generation: int = 0,
        denied: frozenset[str] = frozenset(),
    ) -> None:
        # One key listed twice is not two keys, so equal ones count once.
        self.keys = tuple(
            {
                (key.kid, key.thumbprint, key.algorithms): key
                for key in keys
                if key.kid not in denied and key.thumbprint not in denied
            }.values()
        )
        self.generation, self.denied = generation, denied
        self._by_kid: dict[str, list[ParsedKey]] = defaultdict(list)
        self._by_algorithm: dict[str, list[ParsedKey]] = defaultdict(list)
        for key in self.keys:
            if key.kid is not None:
                self._by_kid[key.kid].append(key)
            for name in key.algorithms:
                self._by_algorithm[name].append(key)
        self._bound: dict[tuple[str | None, str, Engine], BoundKey] = {}

    def has(self, kid: str | None) -> bool:
        """Whether a key of that kid is in the set."""
        return kid is not None and kid in self._by_kid

    def find(self, kid: str | None, algorithm: Algorithm, engine: Engine = CRYPTOGRAPHY) -> BoundKey | None:
        """Return the one key that a header with this kid and algorithm means; None if none does.

        Without a kid, the algorithm's key must be the only one.  It is bound once for each engine:
        verifiers that share a set may use different ones.  Raises `AmbiguousKey` when two keys
        answer, `AlgorithmRefused` when the kid's key serves other algorithms (RFC 8725 section
        3.1), `DeniedKey` when the kid was denied.
        """
        bound = self._bound.get((kid, algorithm.name, engine))
        if bound is None:
            key = self._find(kid, algorithm)
            if key is None:
                return None
            verify = engine.verifier(algorithm, key.key)
            bound = self._bound[kid, algorithm.name, engine] = BoundKey(key, algorithm, verify)
        return bound

    def _find(self, kid: str | None, algorithm: Algorithm) -> ParsedKey | None:
        if kid is None:
            fitting = self._by_algorithm.get(algorithm.name, [])
        else:
            named = self._by_kid.get(kid, [])
            fitting = [key for key in named if algorithm.name in key.algorithms]
            if named and not fitting:
                raise AlgorithmRefused(
                    f"the key that the header names does not serve {algorithm.name}",
                    why="a key serves the algorithm that its JWK says, or that its type and curve allow",
                )
        if len(fitting) > 1:
            raise AmbiguousKey(
                f"{len(fitting)} keys answer to the header",
                why="the key set has several keys that the header can't tell apart",
                fix="give each key a kid of its own and name it in the token's header",
            )
        if fitting:
            return fitting[0]
        if kid in self.denied:
            raise DeniedKey("the key that the header names was denied here")
        return None


class KeySource(Protocol):
    """Where a verifier's keys come from.

    The promise: `current` never waits, and a set that may no longer be used is not returned.
    """

    def current(self) -> KeySet | None:
        """Return the set to verify by now; None when one has to be waited for."""
        ...

    def find(self, kid: str | None, known: KeySet | None) -> KeySet:
        """Return the best set to be had, after `known` lacked the kid; may wait, within bounds.

        Raises `KeysUnavailable` when there is none.
        """
        ...

    async def afind(self, kid: str | None, known: KeySet | None) -> KeySet:
        """As `find`, without blocking the event loop."""
        ...
