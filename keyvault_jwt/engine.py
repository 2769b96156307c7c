"""Engine: by whose arithmetic signatures are checked; `cryptography`'s, unless the user chooses otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from .algorithms import Algorithm, Verify
from .jwk import VerificationKey


class Engine(Protocol):
    """Checks the signatures of any algorithm, by one library or another.

    The promise: it accepts and refuses what the algorithm's own row does, for every key, signature
    and signing input.  Engines are hashable; between equal ones a key's binding is shared.
    """

    def verifier(self, algorithm: Algorithm, key: VerificationKey) -> Verify:
        """Return the function that checks signatures with `key`; raises as `Algorithm.verifier`."""
        ...


@dataclass(frozen=True, slots=True)
class Cryptography:
    """Each algorithm as its row of the table says."""

    def verifier(self, algorithm: Algorithm, key: VerificationKey) -> Verify:
        """Return the row's own function."""
        return algorithm.verifier(key)


CRYPTOGRAPHY: Final = Cryptography()
"""The engine of every verifier that names no other."""
