"""Cast: who takes part."""

from __future__ import annotations

from dataclasses import dataclass

from .fast_time import FIRST_ALGORITHM, NEXT_ALGORITHM
from .messages import Library


@dataclass(frozen=True, slots=True)
class VerifierRole:
    """One verifier: its library, its allow-list, and whether its client forgets keys as it should."""

    library: Library
    algorithms: tuple[str, ...] = (FIRST_ALGORITHM, NEXT_ALGORITHM)
    forgets: bool = True


@dataclass(frozen=True, slots=True)
class Cast:
    """The fleet: so many schedulers and signers, and each verifier; the JWKS server is one."""

    schedulers: int = 2
    signers: int = 3
    verifiers: tuple[VerifierRole, ...] = (
        VerifierRole(Library.OURS),
        VerifierRole(Library.OURS),
        VerifierRole(Library.OURS),
        VerifierRole(Library.PYJWT),
        VerifierRole(Library.JOSERFC),
    )
