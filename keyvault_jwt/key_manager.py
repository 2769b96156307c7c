"""KeyManager: carries out commands on keyrings by driving attempts against a store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from datetime import timedelta
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

from . import archiving, command, document, jwks, key_import
from .attempt import Attempt
from .calls import Answer, Call, Generate, Read, Wait
from .clock import Clock, ClockWatch, Instant, SystemClock, iso
from .decision import Command
from .duration import format_duration, milliseconds
from .errors import (
    ClockBehind,
    ClockJumped,
    DocumentError,
    KeyRefused,
    KeyringNotFound,
    KeyvaultJWTError,
    RemovalUnconfirmed,
)
from .events import Event, Listener, log
from .invariants import capacity, exposure
from .key_factory import FreshKey, KeyFactory, LocalKeyFactory, MakesKeys
from .keyring import Keyring
from .marks import MarkStore, MemoryMarks
from .patience import ROUTINE_SHARE
from .plan import Plan, plan
from .policy import RotationPolicy
from .report import Report, mark_of
from .retirement import Retirement
from .store import DocumentKind, DocumentName, DocumentStore, Limits, limits_of, staleness_of
from .stores.preparation import Prepares


class KeyManager:
    """The life of the keyrings in one store; thread-safe, holds no state but high-water marks.

    Keys are made by `key_factory`, else by the store if it makes any (`MakesKeys`), else here.
    `wait` is called with seconds where a pass must let time go by; `marks` remembers outside
    the store what was seen of it, so that a restored copy is noticed.
    """

    def __init__(
        self,
        store: DocumentStore,
        *,
        clock: Clock | None = None,
        key_factory: KeyFactory | None = None,
        marks: MarkStore | None = None,
        listener: Listener = log,
        wait: Callable[[float], object] | None = None,
        write_ids: Callable[[], UUID] = uuid4,
    ) -> None:
        self._store = store
        self._clock = SystemClock() if clock is None else clock
        self._factory = key_factory
        self._retirement = Retirement(store)
        self._marks = MemoryMarks() if marks is None else marks
        self._listener = listener
        self._wait = threading.Event().wait if wait is None else wait
        self._write_ids = write_ids
        self._staleness, self._limits = staleness_of(store), limits_of(store)
        self._watch = ClockWatch(self._clock)

    def __repr__(self) -> str:
        return f"KeyManager({self._store!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the store, if it can be closed."""
        close = getattr(self._store, "close", None)
        if close is not None:
            close()

    @property
    def store(self) -> DocumentStore:
        """The store whose keyrings these are."""
        return self._store

    # --- looking ---------------------------------------------------------------------------

    def names(self) -> tuple[str, ...]:
        """Return the keyrings that the store holds."""
        kinds = {DocumentKind.AUTHORITY, DocumentKind.PUBLIC}
        return tuple(sorted({name.ring for name in self._store.names() if name.kind in kinds}))

    def keyring(self, ring: str) -> Keyring:
        """Return the keyring as its authority says; raises `KeyringNotFound` or a store's error."""
        found = self._store.read(DocumentName(ring, DocumentKind.AUTHORITY))
        if found is None:
            raise KeyringNotFound(f"there is no keyring {ring!r} in this store", fix="see `list`")
        try:
            return document.decode_authority(ring, found.draft.data)
        except DocumentError as error:
            broken = copy(error)
        raise broken  # a copy has not come through the frames that held the document's bytes

    def plan(self, ring: str) -> Plan:
        """Return what `reconcile` would do now, every inequality, and what is due next; writes nothing."""
        return plan(self.keyring(ring), self._clock.wall(), staleness=self._staleness, limits=self._limits)

    def jwks(self, ring: str) -> bytes:
        """Return the JWK Set as it must be published at the present revision."""
        public = document.derive(DocumentKind.PUBLIC, self.keyring(ring))
        assert isinstance(public, document.PublicDocument)
        return jwks.render(public.keys, origin=jwks.Origin(ring, public.epoch, public.revision))

    def export_keys(self, ring: str, *, private: bool = False) -> list[dict[str, Any]]:
        """Return the keys as JWKs; with `private`, private halves too, for whoever may hold them.

        Raises `KeyRefused` where a remote signer has them.
        """
        keyring = self.keyring(ring)
        if private:
            _require_halves(keyring)
        return key_import.exported(keyring, private=private)

    def revocation_bound(self, report: Report, kid: str) -> Instant | None:
        """Return the last instant at which a verifier may accept `kid` (I4); None until removal is seen."""
        record = report.keyring.record(kid)
        if record.revoked is None:
            return None
        return record.revoked + exposure(report.keyring, record.revoked, self._staleness)

    def usual_bound(self, report: Report, kid: str) -> Instant | None:
        """Return the bound that holds while every publisher and verifier reaches its source."""
        record, policy = report.keyring.record(kid), report.keyring.policy
        if record.revoked is None:
            return None
        usual = policy.publisher_poll + policy.jwks_max_age + policy.clock_skew
        return record.revoked + self._staleness + usual // timedelta(milliseconds=1)

    # --- commands --------------------------------------------------------------------------

    def create(self, ring: str, policy: RotationPolicy | None = None, *, issuer: str) -> Report:
        """Make a keyring that signs at once; raises `KeyringExists`, `CapacityBroken` or a store's error.

        A store that must be made first (`Prepares`) is made, and says what it made by event.
        """
        self._prepare()
        return self._run(ring, command.Create(ring, issuer, policy or RotationPolicy()))

    def reconcile(self, ring: str) -> Report:
        """Do what is due and repair what differs; idempotent, and what the scheduler calls."""
        return self._run(ring, command.Reconcile())

    def rotate(
        self,
        ring: str,
        *,
        replacing: str | None = None,
        emergency: bool = False,
        accept_refusals: bool = False,
    ) -> Report:
        """Replace the active key, or `replacing` if it still is; raises `NoReadyKey` or `StandbyBroken`.

        An emergency takes any ready standby.  `accept_refusals` takes one that verifiers may
        not know yet: tokens it signs are refused until they do.
        """
        if replacing is None:
            active = self.keyring(ring).active
            replacing = "" if active is None else active.kid
        return self._run(
            ring, command.Rotate(replacing, emergency=emergency, accept_refusals=accept_refusals)
        )

    def revoke(self, ring: str, kid: str, *, reason: str, accept_refusals: bool = False) -> Report:
        """Withdraw a key at once (a unique prefix of 8 will do); raises `RemovalUnconfirmed`, loudly.

        If it was signing, a ready standby takes over; without one the report's
        `has_active_key` is False.
        """
        whole = self.keyring(ring).resolve(kid).kid
        return self._run(ring, command.Revoke(whole, reason, accept_refusals=accept_refusals))

    def rollback(self, ring: str, *, replacing: str | None = None) -> Report:
        """Put the previous key back inside its window; raises `RollbackRefused`."""
        if replacing is None:
            active = self.keyring(ring).active
            replacing = None if active is None else active.kid
        return self._run(ring, command.Rollback(replacing))

    def change_policy(self, ring: str, policy: RotationPolicy) -> Report:
        """Put the keyring under `policy`; raises `PolicyRefused` or `CapacityBroken` with the numbers."""
        return self._run(ring, command.ChangePolicy(policy))

    def migrate(self, ring: str, *, to: str, confirm: bool = False) -> Report:
        """Publish keys of another algorithm; `confirm` says that every verifier's allow-list holds it."""
        return self._run(ring, command.Migrate(to, confirm=confirm))

    def recover(self, ring: str) -> Report:
        """Start a new epoch over a store that was restored or forked; nothing retired comes back."""
        return self._run(ring, command.Recover(ring))

    def import_key(
        self,
        ring: str,
        key: FreshKey,
        *,
        issuer: str | None = None,
        policy: RotationPolicy | None = None,
    ) -> Report:
        """Take a key in as a standby; with `issuer`, make a keyring in which it signs at once.

        Raises `KidReused`, `KeyMismatch`, `WeakKey`, `WrongKeyType` or `KeyringExists`, and
        `KeyRefused` where the store makes the keys.
        """
        if self._factory is None and isinstance(self._store, MakesKeys):
            raise KeyRefused(
                "a key made elsewhere is not taken in here",
                why="this store is there so that no document holds a private half",
                fix="import it by the store's URL without its key maker, and rotate by the one with it",
            )
        if issuer is None:
            return self._run(ring, command.Import(key))
        self._prepare()
        return self._run(
            ring, command.Create(ring, issuer, policy or RotationPolicy(algorithm=key.algorithm), key)
        )

    def freeze(self, ring: str, to: str) -> Report:
        """Close the keyring here, since it lives on at `to`."""
        return self._run(ring, command.Freeze(to))

    def copy_to(self, other: KeyManager, ring: str, *, source: str = "", target: str = "") -> Report:
        """Move the keyring to another store with every kid, date and entry; freezes it here first.

        `source` and `target` are the store URLs that the two ledgers note.  Raises `KeyringExists`,
        `KeyRefused` where a remote signer has private halves, and `CapacityBroken` or
        `DocumentTooLarge` for what the other store can't sustain or hold, with nothing frozen.
        """
        if other._store.read(DocumentName(ring, DocumentKind.AUTHORITY)) is not None:
            command.Adopt(self.keyring(ring), source).require_place(other.keyring(ring))
        keyring = self.keyring(ring)
        _require_halves(keyring)
        if keyring.frozen_to is None:
            if archiving.is_due(keyring, other._limits):
                # History that has no room there moves to an archive here.
                keyring = self._run(ring, command.Reconcile(), limits=other._limits).keyring
            other.require_capacity(keyring)
        other._prepare()
        self.freeze(ring, target or repr(other.store))
        keyring = self.keyring(ring)
        for ref in keyring.archives:
            other.receive_archive(DocumentName(ring, DocumentKind.ARCHIVE, ref.number), self._store)
        return other.adopt(ring, keyring, source or repr(self._store))

    def require_capacity(self, keyring: Keyring) -> None:
        """Raise `CapacityBroken` or `DocumentTooLarge` unless a keyring can live in this store."""
        for check in capacity(keyring.policy, self._staleness, self._limits):
            check.require()
        self._limits.require_room(document.authority_draft(keyring), ROUTINE_SHARE)

    def receive_archive(self, name: DocumentName, source: DocumentStore) -> None:
        """Copy one archive from another store; the same bytes may already be there."""
        archive, there = source.read(name), self._store.read(name)
        if archive is not None and there is None:
            self._store.replace(name, archive.draft, expected=None)

    def adopt(self, ring: str, keyring: Keyring, source: str) -> Report:
        """Take in a keyring that was frozen at `source`."""
        self._prepare()
        return self._run(ring, command.Adopt(keyring, source))

    # --- driving ---------------------------------------------------------------------------

    def _prepare(self) -> None:
        if isinstance(self._store, Prepares):
            for made in self._store.prepare():
                self._listener(Event("store.prepared", facts={"what": made}))

    def _run(self, ring: str, asked: Command, *, limits: Limits | None = None) -> Report:
        mark = self._marks.load(ring)
        attempt = Attempt.begin(
            asked, ring, staleness=self._staleness, limits=limits or self._limits, mark=mark
        )
        while attempt.call is not None:
            if attempt.keyring is not None:
                self._require_steady_clock(asked, attempt.keyring)
            answer = self._perform(ring, attempt.call, attempt.keyring)
            attempt = attempt.resume(answer, now=self._clock.wall(), write_id=self._write_ids())
        failed = isinstance(attempt.outcome, KeyvaultJWTError)
        if attempt.keyring is not None and (attempt.commits or not failed):
            try:
                self._marks.save(ring, mark_of(attempt.keyring))
            except KeyvaultJWTError:
                if not failed:
                    raise
                # What failed before is the louder news; its repetition raises the mark.
        return self._told(ring, attempt.outcome)

    def _require_steady_clock(self, asked: Command, keyring: Keyring) -> None:
        """Raise `ClockJumped`, once per step, rather than let a gate open by a clock's correction."""
        skew = keyring.policy.clock_skew
        stepped = self._watch.step(milliseconds(skew))
        if stepped:
            self._listener(Event("clock.jumped", "", {"milliseconds": stepped}, alarm=True))
        if stepped and not asked.urgent:
            raise ClockJumped(
                f"the wall clock was stepped by {format_duration(stepped)}",
                why=f"clock_skew is {format_duration(skew)}, and it now says {iso(self._clock.wall())}",
                fix="check the clock (NTP); the next pass counts from the new setting",
            )

    def _perform(self, ring: str, call: Call, keyring: Keyring | None) -> Answer:
        try:
            if isinstance(call, Read):
                return self._store.read(call.name)
            if isinstance(call, Generate):
                return self._keys_of(ring, keyring).make(call.algorithm)
            if isinstance(call, Wait):
                self._wait(call.duration / 1000)
                return None
            return self._store.replace(call.name, call.draft, expected=call.expected)
        except KeyvaultJWTError as error:
            return error

    def _keys_of(self, ring: str, keyring: Keyring | None) -> KeyFactory:
        if self._factory is not None:
            return self._factory
        if isinstance(self._store, MakesKeys):
            return self._store.key_factory(ring)
        if keyring is not None and any(record.reference is not None for record in keyring.records):
            raise KeyRefused(
                f"no key is made here for keyring {ring}",
                why="its private halves are with a remote signer, and this one would be in the documents",
                fix="open the store by the URL that the keyring was made with (kms=sign, transit=MOUNT), or "
                "give `KeyManager` a key_factory to leave the remote signer on purpose",
            )
        return LocalKeyFactory()

    def _told(self, ring: str, outcome: Report | KeyvaultJWTError | None) -> Report:
        if isinstance(outcome, Report):
            outcome = replace(outcome, alarms=outcome.alarms + self._retirement.tell(outcome.keyring))
            for entry in outcome.entries:
                facts: dict[str, str | int] = {
                    "kid": entry.kid,
                    "seq": entry.seq,
                    "revision": outcome.keyring.revision,
                }
                self._listener(Event(f"keyring.{entry.action}", ring, facts))
            for what in outcome.alarms:
                self._listener(Event("keyring.alarm", ring, {"what": what}, alarm=True))
            if not outcome.has_active_key and outcome.keyring.frozen_to is None:
                self._listener(Event("keyring.no-active-key", ring, alarm=True))
            return outcome
        assert outcome is not None
        alarm = isinstance(outcome, DocumentError | RemovalUnconfirmed | ClockBehind)
        self._listener(Event("keyring.pass-failed", ring, {"code": outcome.code}, alarm=alarm))
        raise copy(outcome)  # as in `keyring`: without the frames that held a document's bytes


def _require_halves(keyring: Keyring) -> None:
    """Raise `KeyRefused` if there are private halves that no document holds."""
    if any(record.reference is not None for record in keyring.records):
        raise KeyRefused(
            f"the private halves of keyring {keyring.ring} can't be taken along",
            why="they never leave the remote signer that has them",
            fix="create a keyring in the other place, and let verifiers accept both issuers for a while",
        )
