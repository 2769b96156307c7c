"""Keyring: the keys of one issuer, and every transition they can make.

A transition takes the time and fresh keys as arguments and returns a new keyring with one
more ledger entry.  It refuses what the state machine forbids; whether the *time* has come is
told by `invariants`, which judges every transition before it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from .algorithms import algorithm_named
from .clock import Instant
from .errors import (
    GateError,
    KeyringFrozen,
    KidNotFound,
    KidReused,
    PolicyRefused,
    RollbackRefused,
    WrongKeyType,
)
from .key_factory import FreshKey
from .keys import KeyRecord, KeyState, fingerprint, new_record
from .ledger import Ledger
from .policy import RotationPolicy

LINEAGE_LENGTH: Final = 64
"""How many (revision, write_id) pairs a document carries."""


class Commit(msgspec.Struct, frozen=True, array_like=True):
    """One committed write: which revision, by which write."""

    revision: int
    write_id: UUID


class ArchiveRef(msgspec.Struct, frozen=True, array_like=True):
    """An archive that `authority` vouches for: its number and the SHA-256 of its bytes."""

    number: int
    sha256: str


class Superseded(msgspec.Struct, frozen=True):
    """An older policy whose cache values may still be in force (I8).

    `changed` is when `public` was read back with its successor; None until then.
    """

    policy: RotationPolicy
    changed: Instant | None = None


class Migration(msgspec.Struct, frozen=True):
    """A change of algorithm under way; `confirmed` once every verifier's allow-list holds it."""

    to: str
    confirmed: bool = False


class Keyring(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the `authority` document says of one keyring."""

    ring: str
    issuer: str
    epoch: int
    revision: int
    write_id: UUID
    policy: RotationPolicy
    lineage: tuple[Commit, ...] = ()
    records: tuple[KeyRecord, ...] = ()
    ledger: Ledger = Ledger()
    archives: tuple[ArchiveRef, ...] = ()
    superseded: tuple[Superseded, ...] = ()
    migration: Migration | None = None
    frozen_to: str | None = None

    def __repr__(self) -> str:
        return f"Keyring({self.ring!r}, epoch={self.epoch}, revision={self.revision}, keys={self.records})"

    # --- looking -----------------------------------------------------------------------

    @property
    def active(self) -> KeyRecord | None:
        """The key that signs, if any."""
        return next((r for r in self.records if r.state is KeyState.ACTIVE), None)

    @property
    def algorithm(self) -> str:
        """What the keyring signs with: the policy's algorithm."""
        return self.policy.algorithm

    @property
    def symmetric(self) -> bool:
        """Whether its keys are shared secrets; no keyring mixes both."""
        return algorithm_named(self.algorithm).symmetric

    def standbys(self, algorithm: str) -> tuple[KeyRecord, ...]:
        """Return the keys in pre-activation for one algorithm: oldest publication first, then as made."""
        found = (r for r in self.records if r.state is KeyState.PRE_ACTIVATION and r.algorithm == algorithm)
        return tuple(sorted(found, key=lambda r: (r.published is None, r.published or r.created)))

    def record(self, kid: str) -> KeyRecord:
        """Return the key of exactly that kid; raises `KidNotFound`."""
        for record in self.records:
            if record.kid == kid:
                return record
        raise KidNotFound(f"keyring {self.ring} has no key {kid!r}", fix="see `show` for its kids")

    def resolve(self, prefix: str) -> KeyRecord:
        """Return the key of that kid, or of a unique prefix of 8 or more; raises `KidNotFound`."""
        found = [r for r in self.records if r.kid == prefix]
        if not found and len(prefix) >= 8:
            found = [r for r in self.records if r.kid.startswith(prefix)]
        if len(found) == 1:
            return found[0]
        raise KidNotFound(
            f"{len(found)} keys of keyring {self.ring} answer to {prefix!r}",
            why="a kid is given whole or by a unique prefix of at least 8 characters",
            fix="see `show` for its kids",
        )

    def rollback_candidate(self) -> KeyRecord:
        """Return the key that signed before the present one; raises `RollbackRefused`."""
        signed = [r for r in self.records if r.activated and r.state in _REPLACED]
        if self.active is None:
            # The active key was revoked: what it had replaced is what can be put back.
            signed = [r for r in signed if r.state is KeyState.DEACTIVATED]
        latest = max(signed, key=lambda r: r.deactivated or r.compromised or 0, default=None)
        why = _why_not_back(latest)
        if latest is None or why:
            raise RollbackRefused("there is no key to roll back to", why=why, fix="use `rotate` instead")
        return latest

    # --- transitions -------------------------------------------------------------------

    def added(self, fresh: FreshKey, now: Instant, *, imported: bool = False) -> Keyring:
        """Return the keyring with a new standby; raises `KidReused` (I9)."""
        print_ = fingerprint(fresh)
        if any(r.kid == fresh.kid or r.fingerprint == print_ for r in self.records):
            raise kid_reused(self.ring, fresh.kid)
        record = new_record(fresh, now, imported=imported)
        return self.replaced(records=(*self.records, record)).told(
            now, "imported" if imported else "added", record.kid, fresh.algorithm
        )

    def promoted(self, kid: str, now: Instant, *, reason: str) -> Keyring:
        """Return the keyring signing with `kid`; the key it replaces becomes deactivated."""
        record = self.record(kid)
        if record.state is not KeyState.PRE_ACTIVATION or not record.can_sign:
            raise GateError(f"the key {kid} can't be promoted", why=f"it is {record.state.value}")
        ring = _activate(_deactivate_active(self, now, reason), record, now)
        return ring.told(now, "promoted", kid, reason)

    def rolled_back(self, now: Instant) -> Keyring:
        """Return the keyring signing with the previous key again; bars the one it replaces."""
        record = self.rollback_candidate()
        ring = _activate(_deactivate_active(self, now, "rolled back", barred=True), record, now)
        return ring.told(now, "rolled-back", record.kid)

    def revoked(self, kid: str, now: Instant, *, reason: str) -> Keyring:
        """Return the keyring with `kid` compromised; once compromised, it never comes back."""
        record = self.record(kid)
        if record.compromised is not None:
            return self
        state = record.state if record.state is KeyState.DESTROYED else KeyState.COMPROMISED
        ring = self.amended(record, state=state, compromised=now, reason=reason)
        return ring.told(now, "revoked", kid, reason)

    def private_dropped(self, kid: str, now: Instant) -> Keyring:
        """Return the keyring without the private half of `kid`."""
        ring = self.amended(self.record(kid), private=None, reference=None)
        return ring.told(now, "private-half-dropped", kid)

    def destroyed(self, kid: str, now: Instant) -> Keyring:
        """Return the keyring with `kid` on its way to a tombstone: out of the published set."""
        record = self.record(kid)
        if record.state in {KeyState.ACTIVE, KeyState.DESTROYED}:
            raise GateError(f"the key {kid} can't be destroyed", why=f"it is {record.state.value}")
        # A compromised key was already read back as gone, so its removal needs no second look.
        removed = record.revoked if record.state is KeyState.COMPROMISED else None
        ring = self.amended(record, state=KeyState.DESTROYED, destroyed=now, removed=removed)
        return ring.told(now, "destroyed", kid)

    def with_policy(self, policy: RotationPolicy, now: Instant) -> Keyring:
        """Return the keyring under `policy`; the old one's values count on until they ran out (I8)."""
        if policy == self.policy:
            return self
        if policy.algorithm != self.algorithm:
            raise PolicyRefused(
                "a policy change can't change the algorithm",
                why="verifiers must first hold keys of the new one",
                fix=f"use `migrate {self.ring} --to {policy.algorithm}`",
            )
        ring = self.replaced(policy=policy, superseded=(*self.superseded, Superseded(self.policy)))
        if (active := ring.active) is not None:
            ring = ring.amended(active, **_raised(active, policy))
        return ring.told(now, "policy-changed")

    def migrating(self, to: str, now: Instant) -> Keyring:
        """Return the keyring that publishes keys of another algorithm; `to` its own ends that."""
        target = algorithm_named(to).name
        if target == self.algorithm:
            if self.migration is None:
                return self
            return self.replaced(migration=None).told(now, "migration-cancelled", detail=self.migration.to)
        if algorithm_named(target).symmetric != algorithm_named(self.algorithm).symmetric:
            raise PolicyRefused(
                "a keyring can't change between symmetric and asymmetric algorithms",
                why="its verifiers read another document",
                fix="create a new keyring",
            )
        if self.migration is not None and self.migration.to == target:
            return self
        return self.replaced(migration=Migration(target)).told(now, "migration-started", detail=target)

    def migration_confirmed(self, now: Instant) -> Keyring:
        """Return the keyring allowed to sign with the new algorithm once its keys are ready."""
        if self.migration is None or self.migration.confirmed:
            return self
        done = Migration(self.migration.to, confirmed=True)
        return self.replaced(migration=done).told(now, "migration-confirmed", detail=done.to)

    def froze(self, to: str, now: Instant) -> Keyring:
        """Return the keyring that takes no more changes here, since it lives on at `to`."""
        return self if self.frozen_to == to else self.replaced(frozen_to=to).told(now, "frozen", detail=to)

    def thawed(self, source: str, now: Instant) -> Keyring:
        """Return the copied keyring, alive in its new store."""
        return self.replaced(frozen_to=None).told(now, "copied", detail=source)

    # --- observations ------------------------------------------------------------------

    def stamped(self, kid: str, **stamps: Instant | None) -> Keyring:
        """Return the keyring with observed facts stamped on a key, or withdrawn with None."""
        return self.amended(self.record(kid), **stamps)

    def policy_observed(self, now: Instant) -> Keyring:
        """Return the keyring with the time at which `public` was read back with this policy."""
        done = tuple(Superseded(s.policy, now if s.changed is None else s.changed) for s in self.superseded)
        return self.replaced(superseded=done)

    def policy_shown_again(self, policy: RotationPolicy) -> Keyring:
        """Return the keyring in which an older policy's values count anew, until `public` changed again."""
        if any(s.policy == policy and s.changed is None for s in self.superseded):
            return self
        others = tuple(s for s in self.superseded if s.policy != policy)
        return self.replaced(superseded=(*others, Superseded(policy)))

    def without_expired(self, keep: Iterable[Superseded]) -> Keyring:
        """Return the keyring with only those older policies that are still in force."""
        return self.replaced(superseded=tuple(keep))

    def archived(self, ref: ArchiveRef, kids: frozenset[str], entries: int, now: Instant) -> Keyring:
        """Return the keyring after tombstones and its first entries moved to an archive."""
        left = tuple(r for r in self.records if r.kid not in kids)
        ring = self.replaced(
            records=left, ledger=self.ledger.without_first(entries), archives=(*self.archives, ref)
        )
        return ring.told(now, "archived", detail=f"archive-{ref.number} sha256={ref.sha256}")

    def committed(self, write_id: UUID) -> Keyring:
        """Return the keyring as the next revision, with the write that makes it."""
        revision = self.revision + 1
        lineage = (*self.lineage, Commit(revision, write_id))[-LINEAGE_LENGTH:]
        return self.replaced(revision=revision, write_id=write_id, lineage=lineage)

    def require_algorithm(self, algorithm: str) -> None:
        """Raise `WrongKeyType` unless a key of `algorithm` can be a standby here."""
        wanted = {self.algorithm} | ({self.migration.to} if self.migration is not None else set())
        if algorithm not in wanted:
            raise WrongKeyType(
                f"keyring {self.ring} takes keys for {' or '.join(sorted(wanted))}, not {algorithm}",
                fix=f"start `migrate {self.ring} --to {algorithm}` first",
            )

    def require_thawed(self) -> None:
        """Raise `KeyringFrozen` if the keyring lives on in another store."""
        if self.frozen_to is not None:
            raise KeyringFrozen(
                f"keyring {self.ring} was copied and takes no changes here",
                why=f"it lives on at {self.frozen_to}",
                fix="name that store with --store",
            )

    # --- parts -------------------------------------------------------------------------

    def replaced(self, **changes: Any) -> Keyring:
        """Return the keyring with some of its members changed."""
        return msgspec.structs.replace(self, **changes)

    def amended(self, record: KeyRecord, **changes: Any) -> Keyring:
        """Return the keyring with some members of one record changed."""
        changed = msgspec.structs.replace(record, **changes)
        return self.replaced(records=tuple(changed if r.kid == record.kid else r for r in self.records))

    def told(self, now: Instant, action: str, kid: str = "", detail: str = "") -> Keyring:
        """Return the keyring with one more entry in its ledger."""
        return self.replaced(ledger=self.ledger.append(now, action, kid=kid, detail=detail))


_REPLACED = frozenset({KeyState.DEACTIVATED, KeyState.COMPROMISED})


def _why_not_back(record: KeyRecord | None) -> str:
    if record is None:
        return "no key signed before this one"
    if record.state is KeyState.COMPROMISED:
        return "the previous key is compromised"
    if record.barred:
        return "the previous key was itself replaced by a rollback"
    return "" if record.can_sign else "the previous key's private half was already dropped"


def _deactivate_active(ring: Keyring, now: Instant, reason: str, *, barred: bool = False) -> Keyring:
    old = ring.active
    if old is None:
        return ring
    changed = ring.amended(
        old, state=KeyState.DEACTIVATED, deactivated=now, stopped=None, barred=old.barred or barred
    )
    return changed.told(now, "deactivated", old.kid, reason)


def _activate(ring: Keyring, record: KeyRecord, now: Instant) -> Keyring:
    """Make `record` the active key; its algorithm becomes the policy's, which ends a migration."""
    if record.algorithm != ring.algorithm:
        parameters = {**ring.policy.model_dump(), "algorithm": record.algorithm}
        ring = ring.replaced(policy=RotationPolicy(**parameters), migration=None)
    return ring.amended(
        record,
        state=KeyState.ACTIVE,
        activated=now,
        deactivated=None,
        stopped=None,
        **_raised(record, ring.policy),
    )


def kid_reused(ring: str, kid: str) -> KidReused:
    """Return the error for a kid or key that the keyring knew before (I9)."""
    return KidReused(
        f"the kid or key {kid!r} was used in keyring {ring} before",
        why="a kid names the same key bytes forever, tombstones included (I9)",
        fix="make or import another key",
    )


def _raised(record: KeyRecord, policy: RotationPolicy) -> Mapping[str, int]:
    timing = policy.timing(0)
    return {
        "token_ttl_max": max(record.token_ttl_max, timing.token_ttl),
        "lease_max": max(record.lease_max, timing.signer_lease),
    }


def create(
    ring: str,
    issuer: str,
    policy: RotationPolicy,
    founding: Iterable[KeyRecord],
    *,
    now: Instant,
    epoch: int,
) -> Keyring:
    """Return a new keyring, not yet committed (revision 0).

    The epoch is the creation time in milliseconds, so that a keyring made again under the same
    name is newer than its predecessor to every reader.
    """
    keyring = Keyring(
        ring=ring,
        issuer=issuer,
        epoch=epoch,
        revision=0,
        write_id=UUID(int=0),
        policy=policy,
        records=tuple(founding),
    ).told(now, "created", detail=policy.algorithm)
    for record in keyring.records:
        keyring = keyring.told(now, "imported" if record.imported else "added", record.kid, record.algorithm)
    return keyring
