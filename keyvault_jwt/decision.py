"""Decision: what a command answers, what it sees when asked, and the housekeeping they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from . import invariants
from .check import Invariant
from .clock import Instant, Milliseconds, iso
from .document import authority_draft
from .errors import ClockBehind, DocumentTooLarge, KeyringNotFound, KeyvaultJWTError
from .key_factory import FreshKey
from .keyring import Keyring
from .marks import Mark
from .patience import ROUTINE_SHARE
from .plan import Action, Plan, apply_steps, plan
from .recovery import Evidence
from .store import Limits


@dataclass(frozen=True, slots=True)
class View:
    """What a command sees besides the keyring.

    The instant, the store's S and caps, the kids that already made a gated transition in this
    pass (I7), fresh keys by algorithm and whether no more can be made, the other documents that
    were read, what was seen before outside the store, and whether this pass has committed anything.
    """

    now: Instant
    staleness: Milliseconds
    limits: Limits
    moved: frozenset[str] = frozenset()
    fresh: Mapping[str, tuple[FreshKey, ...]] = field(default_factory=dict)
    barren: bool = False
    evidence: tuple[Evidence, ...] = ()
    mark: Mark | None = None
    committed: bool = False

    def plan(self, keyring: Keyring) -> Plan:
        """Return the plan for a keyring as this view sees it."""
        return plan(keyring, self.now, staleness=self.staleness, limits=self.limits, moved=self.moved)

    def missing(self, wanted: Counter[str]) -> str | None:
        """Return an algorithm for which a fresh key must still be made."""
        short = (name for name, count in wanted.items() if len(self.fresh.get(name, ())) < count)
        return next(short, None)


@dataclass(frozen=True, slots=True)
class Decision:
    """A command's answer: the keyring to write, or the algorithm of a fresh key it needs first.

    `judged` is False where there is no earlier keyring that the invariants could compare with:
    a recovery's new epoch, or a keyring arriving from another store.
    """

    keyring: Keyring
    needs: str | None = None
    waived: frozenset[Invariant] = frozenset()
    archive: bool = False
    judged: bool = True


class Command:
    """One intention, decided anew on every read.

    `urgent` commands may use the store's reserve and go before housekeeping; `recovers` reads
    a store that contradicts itself; `needs_archives` wants the archived tombstones too.
    """

    __slots__ = ()
    recovers: ClassVar[bool] = False
    needs_archives: ClassVar[bool] = False

    @property
    def urgent(self) -> bool:
        """Whether its write goes before housekeeping and may use the store's reserve."""
        return False

    def decide(self, keyring: Keyring | None, view: View) -> Decision:
        """Return what to write; raises a `GateError` when a rule forbids it."""
        raise NotImplementedError

    def unfinished(self, keyring: Keyring | None, error: KeyvaultJWTError) -> KeyvaultJWTError:  # noqa: ARG002
        """Return the error to show when the pass failed, after what `keyring` holds as committed."""
        return error


def existing(keyring: Keyring | None) -> Keyring:
    """Return the keyring, which must be there and not frozen."""
    if keyring is None:
        raise KeyringNotFound("there is no such keyring in this store", fix="see `list`, or use `create`")
    keyring.require_thawed()
    return keyring


def require_clock(keyring: Keyring, now: Instant) -> None:
    """Raise `ClockBehind` if the last entry is more than ε in the future: every wait would be wrong."""
    entries, skew = keyring.ledger.entries, keyring.policy.timing(0).clock_skew
    if entries and entries[-1].at > now + skew:
        raise ClockBehind(
            f"this machine's clock is behind the last write of keyring {keyring.ring}",
            why=f"that was at {iso(entries[-1].at)}, and here it is {iso(now)}",
            fix="correct the clock (NTP) of whichever machine is wrong; nothing was changed",
        )


def housekeeping(keyring: Keyring, view: View, waived: frozenset[Invariant] = frozenset()) -> Decision:
    """Return the keyring after every step its plan says is due."""
    due = view.plan(keyring)
    if view.barren:
        due = replace(due, steps=tuple(step for step in due.steps if step.action is not Action.ADD))
    wanted = Counter(step.algorithm for step in due.steps if step.action is Action.ADD)
    if (algorithm := view.missing(wanted)) is not None:
        return Decision(keyring, needs=algorithm)
    after = apply_steps(keyring, due.steps, view.fresh, view.now)
    if after is not keyring:
        kept = invariants.in_force(after, view.now, view.staleness)
        after = after if len(kept) == len(after.superseded) else after.without_expired(kept)
    return Decision(after, waived=waived, archive=any(s.action is Action.ARCHIVE for s in due.steps))


def by_algorithm(keys: tuple[FreshKey, ...]) -> dict[str, tuple[FreshKey, ...]]:
    """Return fresh keys as a view has them."""
    names = dict.fromkeys(key.algorithm for key in keys)
    return {name: tuple(key for key in keys if key.algorithm == name) for name in names}


def crowds_out(before: Keyring, after: Keyring, limits: Limits) -> bool:
    """Whether a write adds keys beyond the room of routine writes, which a later revoke may need (I6)."""
    if len(after.records) <= len(before.records):
        return False
    try:
        limits.require_room(authority_draft(after), ROUTINE_SHARE)
    except DocumentTooLarge:
        return True
    return False
