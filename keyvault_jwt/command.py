"""What an operator or the scheduler asks of a keyring: each command decides on a fresh read.

A command names what it acts on, so that repeating it, after a crash or a lost answer, does
nothing twice.  It is asked again in every round of a pass and must then find its work done.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar

from . import invariants
from . import keyring as keyrings
from .check import Invariant
from .clock import Instant, iso
from .decision import Command, Decision, View, existing, housekeeping
from .document import Archive
from .errors import (
    KeyringExists,
    KeyvaultJWTError,
    NoReadyKey,
    RemovalUnconfirmed,
    RollbackRefused,
    RolledBack,
)
from .history import is_behind, is_forked
from .key_factory import FreshKey
from .keyring import Keyring
from .keys import KeyRecord, check_halves, fingerprint, new_record
from .plan import ready_standby, resting
from .policy import RotationPolicy
from .recovery import recovered


@dataclass(frozen=True, slots=True)
class Create(Command):
    """Make a keyring, or one around an imported key that already signs elsewhere."""

    ring: str
    issuer: str
    policy: RotationPolicy
    imported: FreshKey | None = None

    def decide(self, keyring: Keyring | None, view: View) -> Decision:
        """Return the new keyring; raises `KeyringExists` or, for a bad policy, `CapacityBroken` (I6)."""
        if keyring is not None:
            if view.committed:
                return housekeeping(existing(keyring), view)
            raise KeyringExists(
                f"keyring {self.ring} is already there", fix="use `policy` or `rotate`, or take another name"
            )
        for check in invariants.capacity(self.policy, view.staleness, view.limits):
            check.require()
        name = self.policy.algorithm
        count = self.policy.standbys + (self.imported is None)
        if (algorithm := view.missing(Counter({name: count}))) is not None:
            return Decision(_nothing(self), needs=algorithm)
        return Decision(self._made(view.fresh[name][:count], view.now, _epoch(view)))

    def _made(self, fresh: tuple[FreshKey, ...], now: Instant, epoch: int) -> Keyring:
        if self.imported is None:
            founding = [new_record(key, now, founding=True) for key in fresh]
        else:
            check_halves(self.imported)
            founding = [new_record(self.imported, now, founding=True, imported=True)]
            founding += [new_record(key, now) for key in fresh]
        return keyrings.create(self.ring, self.issuer, self.policy, founding, now=now, epoch=epoch)


def _nothing(create: Create) -> Keyring:
    return keyrings.create(create.ring, create.issuer, create.policy, (), now=0, epoch=0)


def _epoch(view: View) -> int:
    """Return an epoch newer than whatever an earlier keyring of this name left behind."""
    past = [document.epoch for document in view.evidence]
    past += [] if view.mark is None else [view.mark.epoch]
    return max(view.now, *(epoch + 1 for epoch in past), 0)


@dataclass(frozen=True, slots=True)
class Reconcile(Command):
    """Do what is due, and nothing else: what the scheduler asks."""

    def decide(self, keyring: Keyring | None, view: View) -> Decision:
        """Return the keyring after its plan's steps."""
        return housekeeping(existing(keyring), view)


@dataclass(frozen=True, slots=True)
class Rotate(Command):
    """Replace the active key `replacing` now; an emergency takes any ready standby (I5 waived)."""

    replacing: str
    emergency: bool = False
    accept_refusals: bool = False

    @property
    def urgent(self) -> bool:
        """Whether the promotion goes before housekeeping."""
        return self.emergency

    def decide(self, keyring: Keyring | None, view: View) -> Decision:
        """Return the keyring signing with a standby; raises `NoReadyKey` with the earliest time."""
        ring = existing(keyring)
        if ring.active is None or ring.active.kid != self.replacing:
            return housekeeping(ring, view)
        reason = "emergency" if self.emergency else "rotated by hand"
        chosen, waived = _chosen(ring, view, accept_refusals=self.accept_refusals)
        if chosen is None:
            raise _not_ready(ring, view)
        if not (self.emergency or self.accept_refusals):
            invariants.standby(ring, chosen, view.now, view.staleness).require()
        after = ring.promoted(chosen.kid, view.now, reason=reason)
        if self.emergency:
            return Decision(after, waived=waived)
        # What was just promoted rests: a migration that is ready goes on in the next round (I7).
        return housekeeping(after, replace(view, moved=view.moved | resting(ring, after)), waived)


@dataclass(frozen=True, slots=True)
class Revoke(Command):
    """Withdraw a key at once; if it was signing, a ready standby takes over in the same write."""

    kid: str
    reason: str
    accept_refusals: bool = False

    @property
    def urgent(self) -> bool:
        """A key that must not sign or verify any longer can't wait."""
        return True

    def decide(self, keyring: Keyring | None, view: View) -> Decision:
        """Return the keyring with the key compromised, signing with a ready standby or with none."""
        ring = existing(keyring)
        after = ring.revoked(self.kid, view.now, reason=self.reason)
        if after.active is None:
            chosen, waived = _chosen(after, view, accept_refusals=self.accept_refusals)
            if chosen is not None:
                after = after.promoted(chosen.kid, view.now, reason="emergency: the active key was revoked")
                return Decision(after, waived=waived)
        return Decision(after) if after is not ring else housekeeping(ring, view)

    def unfinished(self, keyring: Keyring | None, error: KeyvaultJWTError) -> KeyvaultJWTError:
        """Return the loud error: verifiers may accept the key until its removal was read back."""
        record = None if keyring is None else next((r for r in keyring.records if r.kid == self.kid), None)
        waiting = record is not None and record.compromised and not (record.revoked or record.removed)
        if keyring is None or not waiting or isinstance(error, RolledBack):
            return error
        return RemovalUnconfirmed(
            f"{self.kid} is revoked in {keyring.ring}, but its removal was not read back",
            why=str(error),
            fix="repeat the command until it confirms: until then verifiers may accept the key",
        )


@dataclass(frozen=True, slots=True)
class Rollback(Command):
    """Put the previous key back in place of `replacing` (None: where nothing signs)."""

    replacing: str | None

    @property
    def urgent(self) -> bool:
        """A key that should not have begun to sign can't wait, and the window may be about to close."""
        return True

    def decide(self, keyring: Keyring | None, view: View) -> Decision:
        """Return the keyring signing with the previous key; raises `RollbackRefused`."""
        ring = existing(keyring)
        if (ring.active.kid if ring.active is not None else None) != self.replacing:
            return housekeeping(ring, view)
        record = ring.rollback_candidate()
        window = ring.policy.timing(0).rollback_window
        end = (record.stopped or record.deactivated or 0) + window
        if view.now > end:
            raise RollbackRefused(
                f"the rollback window of {record.kid} is over",
                why=f"it ended at {iso(end)}",
                fix="use `rotate` instead",
            )
        return Decision(ring.rolled_back(view.now))


@dataclass(frozen=True, slots=True)
class ChangePolicy(Command):
    """Put the keyring under another policy; nothing becomes safe earlier by it (I8)."""

    policy: RotationPolicy

    def decide(self, keyring: Keyring | None, view: View) -> Decision:
        """Return the keyring under the policy; raises `PolicyRefused` or `CapacityBroken`."""
        ring = existing(keyring)
        for check in invariants.capacity(self.policy, view.staleness, view.limits):
            check.require()
        return housekeeping(ring.with_policy(self.policy, view.now), view)


@dataclass(frozen=True, slots=True)
class Migrate(Command):
    """Publish keys of another algorithm; with `confirm`, sign with it once they are ready."""

    to: str
    confirm: bool = False

    def decide(self, keyring: Keyring | None, view: View) -> Decision:
        """Return the keyring on its way to the algorithm; raises `PolicyRefused`."""
        ring = existing(keyring).migrating(self.to, view.now)
        return housekeeping(ring.migration_confirmed(view.now) if self.confirm else ring, view)


@dataclass(frozen=True, slots=True)
class Import(Command):
    """Take in a key made elsewhere as a standby that must wait out its lead like any other."""

    key: FreshKey
    needs_archives: ClassVar[bool] = True

    def decide(self, keyring: Keyring | None, view: View) -> Decision:
        """Return the keyring with the key; raises `KidReused`, `KeyMismatch` or `WeakKey`."""
        ring = existing(keyring)
        check_halves(self.key)
        known = next((r for r in ring.records if r.kid == self.key.kid), None)
        if known is not None and known.imported and known.private == self.key.private:
            return housekeeping(ring, view)
        archived = (r for d in view.evidence if isinstance(d, Archive) for r in d.records)
        if any(self.key.kid == r.kid or fingerprint(self.key) == r.fingerprint for r in archived):
            raise keyrings.kid_reused(ring.ring, self.key.kid)
        ring.require_algorithm(self.key.algorithm)
        return housekeeping(ring.added(self.key, view.now, imported=True), view)


@dataclass(frozen=True, slots=True)
class Freeze(Command):
    """Close the keyring here, since it lives on in another store."""

    to: str

    def decide(self, keyring: Keyring | None, view: View) -> Decision:
        """Return the frozen keyring."""
        if keyring is None or keyring.frozen_to != self.to:
            keyring = existing(keyring)
        return Decision(keyring.froze(self.to, view.now))


@dataclass(frozen=True, slots=True)
class Adopt(Command):
    """Take in a keyring that was frozen in another store, with every kid, date and entry."""

    keyring: Keyring
    source: str

    def decide(self, keyring: Keyring | None, view: View) -> Decision:
        """Return the keyring alive here; raises `KeyringExists` over one with another history."""
        if view.committed:
            return housekeeping(existing(keyring), view)
        if keyring is not None and self._is_here(keyring):
            return housekeeping(keyring, view)
        self.require_place(keyring)
        return Decision(self.keyring.thawed(self.source, view.now), judged=False)

    def require_place(self, there: Keyring | None) -> None:
        """Raise `KeyringExists` if what is there is alive or has another history, and not this copy."""
        if there is None or self._is_here(there):
            return
        continues = there.frozen_to is not None and not is_forked(self.keyring, there)
        if not continues or is_behind(self.keyring, there):
            raise KeyringExists(
                f"keyring {there.ring} is already in the target store",
                why="it is alive there, or has another history",
                fix="copy to an empty place",
            )

    def _is_here(self, keyring: Keyring) -> bool:
        """Whether an earlier try of this very copy succeeded."""
        copied = keyring.epoch == self.keyring.epoch and self.keyring.lineage[-1] in keyring.lineage
        return copied and keyring.frozen_to is None


@dataclass(frozen=True, slots=True)
class Recover(Command):
    """Start a new epoch over a store that was restored or forked."""

    ring: str
    recovers: ClassVar[bool] = True
    needs_archives: ClassVar[bool] = True

    @property
    def urgent(self) -> bool:
        """A revoked key may be back: it must go at once."""
        return True

    def decide(self, keyring: Keyring | None, view: View) -> Decision:
        """Return the keyring in its new epoch; raises `KeyringNotFound` with nothing to go by."""
        if view.committed:
            return housekeeping(existing(keyring), view)
        return Decision(recovered(self.ring, keyring, view.evidence, view.mark, view.now), judged=False)


def _chosen(
    ring: Keyring, view: View, *, accept_refusals: bool
) -> tuple[KeyRecord | None, frozenset[Invariant]]:
    """Return the standby for an emergency, and what the operator waived to have it."""
    ready = ready_standby(ring, view.now, view.staleness)
    if ready is not None or not accept_refusals:
        return ready, frozenset()
    published = (r for r in ring.standbys(ring.algorithm) if r.published is not None and r.can_sign)
    return next(published, None), frozenset({Invariant.LEAD})


def _not_ready(ring: Keyring, view: View) -> NoReadyKey:
    leads = [invariants.lead(ring, r, view.now, view.staleness) for r in ring.standbys(ring.algorithm)]
    earliest = min((c.earliest for c in leads if c.earliest is not None), default=None)
    return NoReadyKey(
        f"no standby of keyring {ring.ring} is ready to sign",
        why="none was published for the lead time yet (I1)",
        fix=(f"wait until {iso(earliest)}, " if earliest is not None else "run `reconcile`, ")
        + "or accept refused tokens with --accept-refusals",
    )
