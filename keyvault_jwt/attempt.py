"""One pass over a keyring as a pure step machine: read, decide, write, read back, stamp.

An `Attempt` is an immutable value.  `call` is what it wants from the store next; `resume`
takes the answer, the time and a fresh write id, and returns the next `Attempt`.  It holds no
clock, no randomness and no connection, so that a test can copy it at any point, answer in
every possible way, and explore what follows.  `KeyManager` only drives it.
"""

# ruff: noqa: SLF001 -- each step calls a private step of the value that follows it

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from uuid import UUID

from . import archiving, document, history, patience
from .calls import Answer, Call, Generate, Read, Wait, Write, unexpected, version, versioned
from .clock import Instant, Milliseconds
from .commitment import Commitment, Lost
from .decision import Command, View, by_algorithm, crowds_out, require_clock
from .document import Derived
from .errors import (
    Conflict,
    KeyvaultJWTError,
    LostRace,
    RolledBack,
    StoreTimeout,
)
from .invariants import judge
from .key_factory import FreshKey
from .keyring import ArchiveRef, Keyring
from .ledger import Entry
from .marks import Mark
from .observation import observe
from .plan import resting
from .recovery import Evidence
from .report import Report, mark_of
from .seen import Seen, as_read
from .stage import Stage
from .store import DocumentKind, DocumentName, Limits, Version

_NOTHING: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One pass of one command over one keyring."""

    command: Command
    ring: str
    staleness: Milliseconds
    limits: Limits
    mark: Mark | None = None
    stage: Stage = Stage.AUTHORITY
    call: Call | None = None
    outcome: Report | KeyvaultJWTError | None = None
    # What was read, and is being decided on.
    keyring: Keyring | None = None
    version: Version | None = None
    seen: Mapping[DocumentKind, Seen] = field(default_factory=lambda: _NOTHING)
    archives: tuple[document.Archive, ...] = ()
    fresh: tuple[FreshKey, ...] = ()
    barren: bool = False
    # What is being written.
    pending: Keyring | None = None
    commitment: Commitment | None = None
    archive: ArchiveRef | None = None
    # What was done.
    moved: frozenset[str] = frozenset()
    entries: tuple[Entry, ...] = ()
    commits: int = 0
    races: int = 0
    doubts: int = 0
    news: bool = False
    alarms: tuple[str, ...] = ()

    @classmethod
    def begin(
        cls, command: Command, ring: str, *, staleness: Milliseconds, limits: Limits, mark: Mark | None = None
    ) -> Attempt:
        """Return a pass about to read `authority`; `mark` is the last place in history seen before."""
        begun = cls(command, ring, staleness, limits, mark)
        # A recovery's reads are its evidence: past S, they show all that was there when it began.
        return begun._ask(Stage.SETTLE, Wait(staleness)) if command.recovers else begun._reread()

    def resume(self, answer: Answer, *, now: Instant, write_id: UUID) -> Attempt:
        """Return the pass after the store's answer to `call`; errors are answers too."""
        try:
            return self._take(answer, now, write_id)
        except LostRace as error:
            return self._failed(error)
        except Conflict:
            return self._again()
        except KeyvaultJWTError as error:
            return self._failed(error)

    def _take(self, answer: Answer, now: Instant, write_id: UUID) -> Attempt:
        steps = {
            Stage.AUTHORITY: self._authority_read,
            Stage.DERIVED: self._derived_read,
            Stage.ARCHIVES: self._archive_read,
            Stage.GENERATE: self._generated,
            Stage.ARCHIVE_WRITE: self._archive_written,
            Stage.ARCHIVE_READ: self._archive_found,
            Stage.COMMIT: self._committing,
            Stage.DERIVED_WRITE: self._derived_written,
            Stage.READ_BACK: self._read_back,
        }
        if self.stage is Stage.OVER:
            raise ValueError("the attempt is over")
        return self._reread() if self.stage is Stage.SETTLE else steps[self.stage](answer, now, write_id)

    # --- reading -----------------------------------------------------------------------------------

    def _authority_read(self, answer: Answer, now: Instant, write_id: UUID) -> Attempt:
        found = versioned(answer)
        keyring = None if found is None else document.decode_authority(self.ring, found.draft.data)
        mark = None if self.command.recovers and not self.commits else self.mark
        if (denied := history.contradiction(keyring, mark)) is not None:
            return self._doubt(denied)
        was = self.keyring
        moved_on = keyring is not None and was is not None and keyring.revision > was.revision
        return replace(
            self,
            keyring=keyring,
            version=None if found is None else found.version,
            seen=_NOTHING,
            archives=(),
            # Who has committed since may have let a remote signer drop what was made before.
            fresh=tuple(key for key in self.fresh if key.reference is None),
            doubts=0 if moved_on else self.doubts,
        )._read_next(now, write_id)

    def _read_next(self, now: Instant, write_id: UUID) -> Attempt:
        """Read the derived documents, then any archives the command needs, one after another."""
        for kind in document.derived_kinds(self.keyring):
            if kind not in self.seen:
                return self._ask(Stage.DERIVED, Read(self._name(kind)))
        if self.command.needs_archives:
            return self._read_archive(0, now, write_id)
        return self._decide(now, write_id)

    def _read_archive(self, after: int, now: Instant, write_id: UUID) -> Attempt:
        """Read the next archive that is listed; a recovery asks for those that nobody lists, too."""
        later = [number for number in self._listed() if number > after]
        if not (later or self.command.recovers):
            return self._decide(now, write_id)
        following = after + 1 if self.command.recovers else min(later)
        return self._ask(Stage.ARCHIVES, Read(self._name(DocumentKind.ARCHIVE, following)))

    def _derived_read(self, answer: Answer, now: Instant, write_id: UUID) -> Attempt:
        kind, keyring = self._kind(), self.keyring
        seen = as_read(self._name(kind), answer)
        if keyring is not None and seen.document is not None and not self.command.recovers:
            there = seen.document
            if history.is_behind(keyring, there) or history.is_forked(keyring, there):
                # Another pass committed after our read, or the authority was restored.
                return self._doubt(history.rolled_back(keyring, there))
        return replace(self, seen={**self.seen, kind: seen})._read_next(now, write_id)

    def _archive_read(self, answer: Answer, now: Instant, write_id: UUID) -> Attempt:
        found, number, listed = versioned(answer), self._asked().number, self._listed()
        archive = archiving.opened(self.ring, listed.get(number), found)
        if found is None and number >= max(listed, default=0):
            return self._decide(now, write_id)
        read = (*self.archives, archive) if archive is not None else self.archives
        return replace(self, archives=read)._read_archive(number, now, write_id)

    # --- deciding ----------------------------------------------------------------------------------

    def _decide(self, now: Instant, write_id: UUID) -> Attempt:
        """Stamp what was observed, ask the command, and write the outcome if there is one."""
        patience.require_progress(self.ring, races=self.races, rounds=self.commits)
        before = self.keyring
        if before is not None and not self.command.urgent:
            require_clock(before, now)
        observed = before
        if before is not None and (self.commits or not self.command.recovers):
            observed = observe(before, self._observed(before), now)
        decision = self.command.decide(observed, self._view(now))
        if decision.needs is not None:
            return self._ask(Stage.GENERATE, Generate(decision.needs))
        after = decision.keyring
        if before is not None and self.command.urgent and crowds_out(before, after, self.limits):
            # The reserve is for what was asked, and for its stamps: standbys wait for room.
            after = before if observed is None else observed
        if before is not None and decision.judged:
            if decision.archive and self.archive is None and archiving.is_due(before, self.limits):
                return self._archive_to(before, archiving.next_number(before))
            if self.archive is not None:
                after = archiving.moved_out(after, before, self.archive, now, self.limits)
            after, alarms = self._alarmed(before, after, now)
            if after is before:
                return replace(self, news=False)._repair(now, write_id)
            judge(before, after, now, self.staleness, waived=decision.waived)
            return replace(self, alarms=self.alarms + alarms)._commit(after, write_id)
        return self._commit(after, write_id)

    def _alarmed(self, before: Keyring, after: Keyring, now: Instant) -> tuple[Keyring, tuple[str, ...]]:
        """Commit a new revision over documents that hold other bytes at ours: tampering, or a bug."""
        kinds = [kind for kind, seen in self.seen.items() if seen.contradicts(kind, before)]
        for kind in kinds:
            after = after.told(now, "derived-mismatch", detail=kind.value)
        return after, tuple(f"the {kind.value} document held other bytes at its revision" for kind in kinds)

    def _generated(self, answer: Answer, now: Instant, write_id: UUID) -> Attempt:
        if isinstance(answer, KeyvaultJWTError) and self.command.urgent:
            told = f"no new key could be made ({answer.code}): {answer}"
            return replace(self, barren=True, alarms=(*self.alarms, told))._decide(now, write_id)
        if not isinstance(answer, FreshKey):
            raise unexpected(answer)
        return replace(self, fresh=(*self.fresh, answer))._decide(now, write_id)

    # --- writing the authority ---------------------------------------------------------------------

    def _commit(self, after: Keyring, write_id: UUID) -> Attempt:
        after = after.committed(write_id)
        draft = document.authority_draft(after)
        self.limits.require_room(draft, 1.0 if self.command.urgent else patience.ROUTINE_SHARE)
        write = Write(self._name(DocumentKind.AUTHORITY), draft, self.version)
        commitment = Commitment.of(write, self.staleness)
        return replace(self, pending=after, commitment=commitment)._ask(Stage.COMMIT, commitment.call)

    def _committing(self, answer: Answer, now: Instant, write_id: UUID) -> Attempt:
        assert self.commitment is not None
        commitment = self.commitment.resume(answer)
        if commitment.outcome is None:
            return replace(self, commitment=commitment)._ask(Stage.COMMIT, commitment.call)
        if isinstance(commitment.outcome, Lost):
            return self._again()
        won = self._won(commitment.outcome.version)
        return won._again() if commitment.outcome.overtaken else won._repair(now, write_id)

    def _won(self, at: Version) -> Attempt:
        before, after = self.keyring, self.pending
        assert after is not None
        used, mark = {record.kid for record in after.records}, mark_of(after)
        first = 1 if before is None else before.ledger.next_seq
        return replace(
            self,
            keyring=after,
            version=at,
            mark=mark if self.mark is None else self.mark.raised_to(mark),
            pending=None,
            commitment=None,
            archive=None,
            entries=self.entries + tuple(entry for entry in after.ledger.entries if entry.seq >= first),
            moved=self.moved | (frozenset() if before is None else resting(before, after)),
            fresh=tuple(key for key in self.fresh if key.kid not in used and key.reference is None),
            commits=self.commits + 1,
            news=True,
            races=0,
            doubts=0,
        )

    # --- writing an archive ------------------------------------------------------------------------

    def _archive_to(self, keyring: Keyring, number: int) -> Attempt:
        draft = archiving.draft(keyring, number, self.limits)
        return self._ask(Stage.ARCHIVE_WRITE, Write(self._name(DocumentKind.ARCHIVE, number), draft, None))

    def _archive_written(self, answer: Answer, now: Instant, write_id: UUID) -> Attempt:
        if isinstance(answer, Conflict | StoreTimeout):
            return self._ask(Stage.ARCHIVE_READ, Read(self._asked()))
        version(answer)
        return self._archived(self._asked().number, now, write_id)

    def _archive_found(self, answer: Answer, now: Instant, write_id: UUID) -> Attempt:
        keyring, number, found = self._known(), self._asked().number, versioned(answer)
        if found is None:
            return self._again()
        if found.draft.data == archiving.draft(keyring, number, self.limits).data:
            return self._archived(number, now, write_id)
        return self._archive_to(keyring, number + 1)

    def _archived(self, number: int, now: Instant, write_id: UUID) -> Attempt:
        ref = archiving.reference(self._known(), number, self.limits)
        return replace(self, archive=ref)._decide(now, write_id)

    # --- writing the derived documents, and reading them back --------------------------------------

    def _repair(self, now: Instant, write_id: UUID) -> Attempt:
        """Write the first derived document that lags, or go on to the next round, or end."""
        keyring = self._known()
        for kind in document.derived_kinds(keyring):
            seen, wanted = self.seen.get(kind, Seen()), document.derive(kind, keyring)
            if seen.lags(wanted):
                draft = document.derived_draft(kind, wanted)
                self.limits.require_room(draft)
                return self._ask(Stage.DERIVED_WRITE, Write(self._name(kind), draft, seen.version))
            if not seen.observed and observe(keyring, {kind: wanted}, now) is not keyring:
                return self._ask(Stage.READ_BACK, Read(self._name(kind)))
        return self._decide(now, write_id) if self.news else self._ended(now)

    def _derived_written(self, answer: Answer, now: Instant, write_id: UUID) -> Attempt:
        assert isinstance(self.call, Write)
        kind = self._kind()
        if isinstance(answer, Conflict | StoreTimeout):
            # The same bytes from another pass, or a newer revision: reading tells.
            return self._raced()._ask(Stage.READ_BACK, Read(self._name(kind)))
        wanted = document.derive(kind, self._known())
        seen = Seen(version(answer), wanted, self.call.draft.data)
        return replace(self, seen={**self.seen, kind: seen})._repair(now, write_id)

    def _read_back(self, answer: Answer, now: Instant, write_id: UUID) -> Attempt:
        kind, keyring = self._kind(), self._known()
        seen = as_read(self._name(kind), answer)
        if seen.document is not None and history.is_behind(keyring, seen.document):
            return self._again()
        if self.staleness and seen.lags(document.derive(kind, keyring)):
            # As old as S allows, it may be what was there before our write: wait, and look at it all anew.
            return self._raced()._ask(Stage.SETTLE, Wait(self.staleness))
        return replace(self, seen={**self.seen, kind: seen}, news=True)._repair(now, write_id)

    # --- endings and detours -----------------------------------------------------------------------

    def _ended(self, now: Instant) -> Attempt:
        keyring = self._known()
        report = Report(
            keyring=keyring,
            entries=self.entries,
            plan=replace(self._view(now), moved=frozenset()).plan(keyring),
            commits=self.commits,
            alarms=self.alarms,
        )
        return replace(self, stage=Stage.OVER, call=None, outcome=report)

    def _failed(self, error: KeyvaultJWTError) -> Attempt:
        told = self.command.unfinished(self.keyring, error)
        return replace(self, stage=Stage.OVER, call=None, outcome=told)

    def _again(self) -> Attempt:
        """Start over from a fresh read, since somebody else wrote first."""
        fresh = replace(self, pending=None, commitment=None, archive=None)
        try:
            return fresh._raced()._reread()
        except LostRace as error:
            return fresh._failed(error)

    def _raced(self) -> Attempt:
        patience.require_progress(self.ring, races=self.races + 1, rounds=self.commits)
        return replace(self, races=self.races + 1)

    def _doubt(self, error: RolledBack) -> Attempt:
        """Read once more past S before believing that the store was rolled back."""
        if self.doubts >= patience.MAX_DOUBTS:
            raise error
        pause = Wait(max(self.staleness, patience.SETTLE))
        return replace(self, doubts=self.doubts + 1)._ask(Stage.SETTLE, pause)

    def _reread(self) -> Attempt:
        return self._ask(Stage.AUTHORITY, Read(self._name(DocumentKind.AUTHORITY)))

    # --- small parts -------------------------------------------------------------------------------

    def _ask(self, stage: Stage, call: Call) -> Attempt:
        return replace(self, stage=stage, call=call)

    def _name(self, kind: DocumentKind, number: int = 0) -> DocumentName:
        return DocumentName(self.ring, kind, number)

    def _asked(self) -> DocumentName:
        assert isinstance(self.call, Read | Write)
        return self.call.name

    def _kind(self) -> DocumentKind:
        return self._asked().kind

    def _listed(self) -> dict[int, ArchiveRef]:
        return {} if self.keyring is None else {ref.number: ref for ref in self.keyring.archives}

    def _known(self) -> Keyring:
        assert self.keyring is not None
        return self.keyring

    def _view(self, now: Instant) -> View:
        evidence: list[Evidence] = [s.document for s in self.seen.values() if s.document is not None]
        return View(
            now=now,
            staleness=self.staleness,
            limits=self.limits,
            moved=self.moved,
            fresh=by_algorithm(self.fresh),
            barren=self.barren,
            evidence=(*evidence, *self.archives),
            mark=self.mark,
            committed=self.commits > 0,
        )

    def _observed(self, keyring: Keyring) -> dict[DocumentKind, Derived]:
        """Return what was read of the keyring's own documents.

        One from before a recovery has another ledger, and so proves nothing; what it denies counts.
        """
        read = {kind: self.seen.get(kind, Seen()) for kind in document.derived_kinds(keyring)}
        return {kind: seen.document for kind, seen in read.items() if seen.observed and seen.document}
