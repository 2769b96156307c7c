"""Restores from a backup, and what operators do about them."""

from __future__ import annotations

from functools import partial
from typing import Final

from keyvault_jwt import command
from keyvault_jwt.clock import Instant
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.history import contradiction
from keyvault_jwt.report import Report
from keyvault_jwt.store import DocumentKind
from tests.simulation.drawn_policy import log_uniform
from tests.simulation.operator_desk import OperatorDesk
from tests.simulation.restored import Copy, require_nothing_revived, settled_copy
from tests.simulation.ring import Ring
from tests.simulation.rotator import Rotator
from tests.simulation.site import Site
from tests.simulation.story import Violation

_DERIVED = (DocumentKind.SIGNING, DocumentKind.PUBLIC, DocumentKind.VERIFICATION)


_PATIENCE: Final = 40
"""How often a repair may fail where nothing goes wrong by itself any more."""


class Disasters:
    """Keeps copies of keyrings, puts them back one day, and has that repaired."""

    def __init__(self, site: Site, operators: OperatorDesk) -> None:
        self._site, self._operators = site, operators

    def plan(self, ring: Ring, backup: Instant, restore: Instant) -> None:
        """Have a copy made at one instant and put back at a later one."""
        self._site.agenda.at(backup, partial(self._back_up, ring, restore))

    def _back_up(self, ring: Ring, restore: Instant) -> None:
        copy = self._copy(ring)
        if copy:
            self._site.agenda.at(restore, partial(self._restore, ring, copy))

    def _copy(self, ring: Ring) -> Copy:
        store = self._site.store
        found = {name: store.read(name) for name in store.names(ring.name)}
        return {name: there.draft for name, there in found.items() if there is not None}

    def _restore(self, ring: Ring, copy: Copy) -> None:
        keyring = ring.keyring
        if keyring is None or ring.quiet or ring.unwatched is not None:
            return
        if not settled_copy(keyring, self._copy(ring)):
            return
        dice = self._site.dice
        names = sorted(name for name in copy if name.kind is not DocumentKind.ARCHIVE)
        chosen = dice.choice((names, *([name] for name in names)))
        put_back = {name: copy[name] for name in chosen}
        self._site.story.tell("disaster", f"restored: {', '.join(map(str, chosen))}")
        whole = len(chosen) == len(names)
        self._site.happened(f"fault: {'every' if whole else 'one'} document restored")
        for name, draft in put_back.items():
            self._site.store.put(name, draft)
        ring.restored(put_back, self._site.now, whole_history=whole)
        authority = any(name.kind is DocumentKind.AUTHORITY for name in chosen)
        self._site.agenda.after(
            log_uniform(dice, 1, max(2, ring.scale)),
            partial(self._repair, ring, self._operators.rotator, authority),
        )

    def alarmed(self, ring: Ring, rotator: Rotator) -> None:
        """Have a keyring recovered where it contradicts what this process saw of it."""
        denied = contradiction(ring.keyring, rotator.marks.load(ring.name))
        if ring.unwatched is None and ring.tampering is not None and denied is not None:
            self._site.happened("fault: a recovery that did not know of a revocation")
            ring.restored({}, self._site.now, whole_history=False)
            self._repair(ring, rotator, recover=True)

    def _repair(self, ring: Ring, rotator: Rotator, recover: bool, failures: int = 0) -> None:
        """Have the operator repeat the command until everything says the same again."""
        asked = command.Recover(ring.name) if recover else command.Reconcile()
        known = rotator.marks.load(ring.name)
        revoked = frozenset() if known is None else known.revoked

        def ended(outcome: Report | KeyvaultJWTError | None) -> None:
            copy = self._copy(ring)
            if not isinstance(outcome, Report) or not settled_copy(outcome.keyring, copy):
                self._again(ring, rotator, recover, failures, outcome)
                return
            assert ring.tampering is not None
            recovery = ring.recovery or outcome.keyring
            revived = require_nothing_revived(ring.tampering, recovery, outcome.keyring, revoked)
            if recover and revived:
                raise Violation(f"{ring.name}: {revived}")
            self._site.counts.recoveries += 1
            self._site.happened("fault: a repair")
            ring.resumed(copy, self._site.now)

        rotator.begin(asked, ring, ended)

    def _again(
        self,
        ring: Ring,
        rotator: Rotator,
        recover: bool,
        failures: int,
        outcome: Report | KeyvaultJWTError | None,
    ) -> None:
        """Repeat the command, or recover if told to; it may fail on only as long as there are faults."""
        failures += ring.quiet and isinstance(outcome, KeyvaultJWTError)
        if failures > _PATIENCE:
            raise Violation(f"{ring.name}: left alone, it can't be repaired: {outcome}")
        if not recover and contradiction(ring.keyring, rotator.marks.load(ring.name)) is not None:
            self._site.happened("fault: a recovery that did not know of a revocation")
            recover = True
        pause = max(1, ring.scale // 64)
        self._site.agenda.after(pause, partial(self._repair, ring, rotator, recover, failures))
