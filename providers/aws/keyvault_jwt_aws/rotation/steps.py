"""Steps: what each step of a native rotation does, on the same `KeyManager` as everywhere.

createSecret   decides a rotation by the policy, and puts what it would commit as AWSPENDING
setSecret      nothing: verifiers know the next key since it was published, a lead ago
testSecret     judges the candidate anew, and lets its key sign and be verified
finishSecret   moves AWSCURRENT from the version that was decided on, then writes what follows

Every step can be repeated.  A candidate that can't become current any more loses AWSPENDING at once;
where the service only failed for the moment it stays, for Secrets Manager tries the step again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from keyvault_jwt.clock import Clock
from keyvault_jwt.document import decode_authority, decode_signing
from keyvault_jwt.errors import (
    Conflict,
    DocumentError,
    OutcomeUnknown,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
)
from keyvault_jwt.events import Event, Listener
from keyvault_jwt.key_factory import MakesKeys
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.marks import MarkStore
from keyvault_jwt.store import DocumentKind, DocumentName, DocumentStore, Draft, Version

from ..errors import BadRotation, CandidateRefused, KeyOfVersionGone, RotationOvertaken
from ..secrets_store import AwsStore
from ..versions import CURRENT, PENDING
from .asked import Asked, Step
from .held_back import Held, HeldBack
from .rehearsal import require_sound
from .remaining import Remaining
from .rotated_secret import Candidate, Labels, RotatedSecret

_FOR_THE_MOMENT: Final = (StoreUnavailable, StoreTimeout, OutcomeUnknown)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the steps are taken with."""

    store: AwsStore
    remaining: Remaining
    clock: Clock
    listener: Listener
    marks: MarkStore


class Rotation:
    """One step of the rotation that `asked` names."""

    def __init__(self, asked: Asked, around: Surroundings) -> None:
        self._asked, self._around, self._store = asked, around, around.store
        self._secret = RotatedSecret(around.store, asked)

    def take(self) -> str:
        """Take the step and return what was done, in a word for the log.

        Raises `BadRotation`, `RotationOvertaken`, `CandidateRefused`, what `KeyManager.rotate`
        raises where the policy's gates are shut, and the store's errors.
        """
        self._around.remaining.require()
        labels = self._secret.labels()
        self._require_ours(labels)
        if self._asked.step is Step.RECONCILE:
            return self._reconcile(labels)
        try:
            return self._staged_step(labels)
        except _FOR_THE_MOMENT:
            raise
        except Exception:
            with suppress(StoreError):  # what failed first is the news; the next rotation releases it
                self._secret.release(self._asked.token)
            raise

    def _require_ours(self, labels: Labels) -> None:
        if self._asked.secret.startswith("arn:") and labels.arn != self._asked.secret:
            raise _bad("the secret of that name is another one, of another account or made anew")
        if self._asked.step is not Step.RECONCILE and not labels.rotates:
            raise _bad("rotation is off for this secret")

    def _staged_step(self, labels: Labels) -> str:
        token = self._asked.token
        if CURRENT in labels.of(token):
            return self._settle()
        if PENDING not in labels.of(token):
            if self._landed():
                return self._settle()
            raise _bad("no version bears AWSPENDING under its token: it failed before, or was cancelled")
        candidate, overtaken = self._pending(token, labels)
        if overtaken:
            if self._landed():
                return self._settle()
            raise _overtaken(self._asked.name, "another version is current than the one it was decided from")
        steps: dict[Step, Callable[[Candidate | None], str]] = {
            Step.CREATE: self._create,
            Step.SET: lambda _: "nothing to set",
            Step.TEST: self._test,
            Step.FINISH: self._finish,
        }
        return steps[self._asked.step](candidate)

    # --- the steps -------------------------------------------------------------------------

    def _create(self, candidate: Candidate | None) -> str:
        """Decide, and put the outcome beside the current version; a lost race is decided anew."""
        if candidate is not None:
            return "was there"
        active = self._current()[0].active
        replaced = "" if active is None else active.kid
        staged = []

        def stage(draft: Draft, parent: Version) -> None:
            following = decode_authority(self._asked.name.ring, draft.data).active
            if following is not None and following.kid != replaced:
                token = self._asked.token
                self._store.stage(self._asked.name, draft, parent=parent, version=token, label=PENDING)
                staged.append(following.kid)

        manager = self._manager(self._held_back(stage))
        with suppress(Held):
            manager.rotate(self._asked.name.ring, replacing=replaced)
        if not staged:
            raise _overtaken(
                self._asked.name, "the key it was to replace is active no more, or none is ready"
            )
        return "created"

    def _test(self, candidate: Candidate | None) -> str:
        """Test the candidate; without one, as when rotation is turned on for later, what is current."""
        current, version = self._current()
        if candidate is not None and candidate.parent != version:
            raise _overtaken(self._asked.name, "another version became current meanwhile")
        after = current if candidate is None else candidate.keyring
        require_sound(after, current, self._store, self._around.clock)
        return "tested the current version" if candidate is None else "tested"

    def _finish(self, candidate: Candidate | None) -> str:
        """Make the candidate current if nobody wrote since it was decided."""
        if candidate is None:
            raise CandidateRefused(
                f"there is no candidate for {self._asked.name}",
                why="the version under the rotation's token is empty: createSecret did not end well",
                fix="rotate again",
            )
        try:
            self._store.promote(self._asked.name, candidate.parent, self._asked.token)
        except Conflict:
            if not self._landed():
                raise _overtaken(self._asked.name, "another version became current meanwhile") from None
        self._settle()
        return "finished"

    def _reconcile(self, labels: Labels) -> str:
        """Do what is due, and release a candidate that can't become current any more."""
        pending = labels.holder(PENDING)
        waits = pending is not None and CURRENT not in labels.of(pending)
        if pending is not None and waits and self._pending(pending, labels)[1]:
            self._secret.release(pending)
        report = self._manager(self._store).reconcile(self._asked.name.ring)
        active = report.keyring.active
        if active is not None and active.activated is not None:
            age = (self._around.clock.wall() - active.activated) // 1000
            facts = {"seconds": age, "days": age // 86_400}
            self._around.listener(Event("rotation.age", self._asked.name.ring, facts))
        return "reconciled"

    # --- small parts -----------------------------------------------------------------------

    def _pending(self, version: Version, labels: Labels) -> tuple[Candidate | None, bool]:
        """Return the candidate, None for an empty version, and whether others wrote since it was decided."""
        try:
            candidate = self._secret.candidate(version)
        except KeyOfVersionGone:  # who overtook it has deleted the key
            return None, True
        return candidate, candidate is not None and candidate.is_stale(labels)

    def _settle(self) -> str:
        """After AWSCURRENT has moved: take AWSPENDING off, and in the last step write what follows.

        Stamps are left to the next pass where that can be, so that the token's version stays current.
        """
        ring = self._asked.name.ring
        self._secret.release(self._asked.token)
        if self._asked.step is not Step.FINISH:
            return "done before"
        with suppress(Held):
            self._manager(self._held_back(lambda _draft, _parent: None)).reconcile(ring)
        if not self._signers_know():
            self._manager(self._store).reconcile(ring)
        return "done before"

    def _signers_know(self) -> bool:
        """Whether signers read the key that the authority has as active."""
        ring, active = self._asked.name.ring, self._current()[0].active
        try:
            found = self._store.read(DocumentName(ring, DocumentKind.SIGNING))
            key = None if found is None else decode_signing(ring, found.draft.data).key
        except DocumentError:
            return False  # a whole pass replaces what is none of ours, and raises if it may not
        return found is not None and (key and key.kid) == (active and active.kid)

    def _landed(self) -> bool:
        """Whether the rotation's write is in the history of what is current."""
        return any(commit.write_id == self._asked.write_id for commit in self._current()[0].lineage)

    def _current(self) -> tuple[Keyring, Version]:
        found = self._store.read(self._asked.name)
        if found is None:
            raise _bad("the secret has no current version: create the keyring first")
        return decode_authority(self._asked.name.ring, found.draft.data), found.version

    def _held_back(self, take: Callable[[Draft, Version], None]) -> HeldBack:
        return HeldBack(self._store, self._around.remaining, take)

    def _manager(self, store: DocumentStore) -> KeyManager:
        around = self._around
        maker = self._store.key_factory(self._asked.name.ring) if isinstance(self._store, MakesKeys) else None
        ours = self._asked.write_id
        return KeyManager(
            store,
            clock=around.clock,
            key_factory=maker,
            marks=around.marks,
            listener=around.listener,
            wait=around.remaining.wait,
            write_ids=(lambda: ours) if isinstance(store, HeldBack) else uuid4,
        )


def _overtaken(name: DocumentName, why: str) -> RotationOvertaken:
    return RotationOvertaken(
        f"the rotation of {name} was overtaken",
        why=why,
        fix="rotate again, if it is still wanted; nothing of it became current",
    )


def _bad(why: str) -> BadRotation:
    return BadRotation(
        "there is no such rotation under way",
        why=why,
        fix="begin one: `aws secretsmanager rotate-secret`",
    )
