"""What a source can't bring back: keys denied here, and sets older than one already seen."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from ..clock import Instant, Milliseconds
from ..errors import ForeignDocument, FutureDocument, RolledBack
from ..jwks import Origin, ParsedKey

_MAX_AHEAD: Final[Milliseconds] = 86_400_000
"""How far the clock that an epoch was taken from may have been ahead of this machine's."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Denied kids and thumbprints, and the newest (epoch, revision) seen of a set of ours."""

    denied: frozenset[str] = frozenset()
    newest: Origin | None = None

    def with_denied(self, names: AbstractSet[str]) -> Quarantine:
        """Return the quarantine with more kids and thumbprints, for good."""
        return replace(self, denied=self.denied | names)

    def with_bytes_of(self, keys: Iterable[ParsedKey]) -> Quarantine:
        """Return the quarantine with the thumbprints of the keys whose kids are denied.

        So that the same bytes don't come back under another kid or none; no hash of a secret.
        """
        named = {key.thumbprint for key in keys if key.kid in self.denied and not key.symmetric}
        return replace(self, denied=self.denied | named)

    def admit(self, origin: Origin | None) -> Quarantine:
        """Return the quarantine after a set of this origin was taken in.

        Raises `RolledBack` for a lower epoch or revision than was seen, `ForeignDocument` for
        another keyring's set.  A set without origin is a stranger's and can't be compared.
        """
        if origin is None or self.newest is None:
            return replace(self, newest=origin or self.newest)
        if origin.ring != self.newest.ring:
            raise ForeignDocument(
                f"the set is of keyring {origin.ring[:64]!r}",
                why=f"this source gave sets of {self.newest.ring[:64]!r} before",
                fix="if the keyring was replaced on purpose, start with a fresh cache and state",
            )
        if origin.moment < self.newest.moment:
            raise RolledBack(
                f"the set has epoch {origin.epoch}, revision {origin.revision}",
                why=f"epoch {self.newest.epoch}, revision {self.newest.revision} was seen already",
                fix="look for a stale proxy or a restored store; the last good set is kept meanwhile",
            )
        return replace(self, newest=origin)

    def merged(self, other: Quarantine) -> Quarantine:
        """Return what both remember; of two newest sets the later, and of two rings this one's."""
        mine, theirs = self.newest, other.newest
        later = mine or theirs
        if mine is not None and theirs is not None and mine.ring == theirs.ring:
            later = max(mine, theirs, key=lambda origin: origin.moment)
        return Quarantine(self.denied | other.denied, later)


def require_begun(origin: Origin, now: Instant) -> None:
    """Raise `FutureDocument` for an epoch that begins more than a day from now.

    An epoch is a creation time, and no set below the highest one seen is taken, so that a made-up
    one would keep out every honest set for good.
    """
    if origin.epoch > now + _MAX_AHEAD:
        raise FutureDocument(
            f"the set has epoch {origin.epoch}",
            why=f"an epoch is the time in milliseconds at which it began, and by this clock it is {now}",
            fix="set this machine's clock if it is wrong; else find out who made the set",
        )
