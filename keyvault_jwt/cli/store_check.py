"""What `doctor` looks at in a store: its master key, its files' modes, and each keyring."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from .. import document
from ..clock import Instant, iso
from ..document import Derived
from ..errors import KeyvaultJWTError
from ..key_manager import KeyManager
from ..keyring import Keyring
from ..keys import KeyRecord
from ..ledger import Entry
from ..plan import Plan
from ..policy import RotationPolicy
from ..store import DocumentName, DocumentStore
from ..stores.file import FileStore
from ..stores.file_name import file_name
from ..stores.filesystem import SystemFilesystem
from ..stores.key_finder import KeyFinder
from .ages import seen_from
from .file_access import MODES
from .finding import Finding, fail, ok, warn
from .public_view import PublicView
from .snapshot import look

_LATE = 300_000
"""Milliseconds past its due time at which a step says that nobody takes it."""


def check_store(manager: KeyManager, now: Instant) -> Iterator[Finding]:
    """Yield what is to be said of the store and of each of its keyrings."""
    store = manager.store
    try:
        names = manager.names()
    except KeyvaultJWTError as error:
        yield _of(error, "store")
        return
    yield ok("store", f"{store!r} answers, with {len(names)} keyring{'' if len(names) == 1 else 's'}")
    if isinstance(store, FileStore):
        yield from check_files(store)
    for ring in names:
        yield from check_ring(manager, ring, now)


def check_files(store: FileStore) -> Iterator[Finding]:
    """Yield what is to be said of an embedded store's master key and of its files' modes."""
    try:
        origin = KeyFinder(store.path, SystemFilesystem()).find().origin
        yield ok("master key", f"from {origin}")
    except KeyvaultJWTError as error:
        yield _of(error, "master key")
    for name in store.names():
        path = store.path / name.ring / file_name(name)
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & ~MODES[name.kind]:
            seen = f"{path} has mode {mode:04o}"
            yield warn("modes", seen, f"chmod {MODES[name.kind]:04o} {path}")


def check_ring(manager: KeyManager, ring: str, now: Instant) -> Iterator[Finding]:
    """Yield what is to be said of one keyring."""
    where = f"keyring {ring}"
    try:
        seen = look(manager, ring)
    except KeyvaultJWTError as error:
        yield _of(error, where)
        return
    if isinstance(seen, PublicView):
        yield from _public(seen, where, now)
        return
    keyring, plan, _ = seen
    findings = [
        *_keys(ring, keyring.frozen_to, keyring.active, where),
        *_clock(keyring.ledger.entries[-1:], keyring.policy, where, now),
        *_documents(manager.store, keyring, where),
        *_rules(plan, where, now),
    ]
    yield from findings
    if not findings:
        due = "" if plan.next_due is None else f", next step {seen_from(now, plan.next_due)}"
        yield ok(where, f"revision {keyring.revision}, documents agree{due}")


def _public(view: PublicView, where: str, now: Instant) -> Iterator[Finding]:
    """Yield what the public document shows, and that it is all that was looked at."""
    public = view.public
    yield warn(
        where,
        f"only its public document was looked at, revision {public.revision}; it may be one pass behind: "
        f"{view.closed.code}: {view.closed.what}",
        "for the rest, look as the rotator, who may read the authority and holds a master key",
    )
    yield from _keys(public.ring, view.frozen_to, view.active, where)
    yield from _clock(public.events[-1:], public.policy, where, now)
    yield from _overdue(view.rotation_due, where, now)


def _keys(ring: str, frozen_to: str | None, active: KeyRecord | None, where: str) -> Iterator[Finding]:
    if frozen_to is not None:
        yield warn(where, f"frozen: it lives on at {frozen_to}", "name that store with --store")
    elif active is None:
        yield fail(where, "no key is signing", f"see `keyvault-jwt plan {ring}` for when one may")


def _clock(newest: tuple[Entry, ...], policy: RotationPolicy, where: str, now: Instant) -> Iterator[Finding]:
    if newest and newest[0].at > now + policy.timing(0).clock_skew:
        seen = f"its last entry is of {iso(newest[0].at)}, and this machine's clock says {iso(now)}"
        yield fail(where, seen, "set the clock; run an NTP client")


def _documents(store: DocumentStore, keyring: Keyring, where: str) -> Iterator[Finding]:
    """Yield what derived documents say otherwise than the authority, which any pass repairs."""
    for kind in document.derived_kinds(keyring):
        name = DocumentName(keyring.ring, kind)
        try:
            found = store.read(name)
            read = None if found is None else document.decode_derived(name, found.draft.data)
        except KeyvaultJWTError as error:
            yield _of(error, where)
            continue
        if read is None or _differs(read, document.derive(kind, keyring)):
            seen = f"its {kind} document is {'missing' if read is None else 'not what its authority says'}"
            yield warn(where, seen, f"keyvault-jwt reconcile {keyring.ring}")


def _differs(read: Derived, wanted: Derived) -> bool:
    return (read.epoch, read.revision) > (wanted.epoch, wanted.revision) or not document.says_the_same(
        read, wanted
    )


def _rules(plan: Plan, where: str, now: Instant) -> Iterator[Finding]:
    for check in plan.broken:
        seen = f"{check.invariant} {check.name} is broken: {check.formula}"
        yield fail(where, seen, f"see `keyvault-jwt plan {plan.ring}`, then change the policy")
    overdue = [*_overdue(plan.rotation_due, where, now)]
    yield from overdue
    if plan.steps and not overdue:
        seen = f"due now: {', '.join(dict.fromkeys(step.action.value for step in plan.steps))}"
        yield warn(where, seen, f"run `keyvault-jwt scheduler`, or once `keyvault-jwt reconcile {plan.ring}`")


def _overdue(due: Instant | None, where: str, now: Instant) -> Iterator[Finding]:
    if due is not None and now > due + _LATE:
        seen = f"its rotation was due {seen_from(now, due)}"
        yield warn(where, seen, "run `keyvault-jwt scheduler`, or see `plan` for what it waits for")


def _of(error: KeyvaultJWTError, check: str) -> Finding:
    seen = f"{error.code}: {error.what}" + (f" ({error.why})" if error.why else "")
    return fail(check, seen, error.fix)
