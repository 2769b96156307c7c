"""One write of `authority`, carried to a typed outcome: won, lost, or not to be found out.

A time-out is neither success nor failure.  The lineage of whoever wrote last tells: it holds
our write id if our write landed, even when others have written since.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from . import document
from .calls import Answer, Call, Read, Wait, Write, version, versioned
from .clock import Milliseconds
from .errors import Conflict, OutcomeUnknown, StoreError, StoreTimeout
from .keyring import Commit
from .store import Version

MAX_TRIES: Final = 4
"""How often the same bytes are sent, and how often an unreadable document is asked for again."""


@dataclass(frozen=True, slots=True)
class Won:
    """The write landed, as `version`; `overtaken` if others have written on top of it since."""

    version: Version
    overtaken: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """Somebody else wrote first, and ours can land no more."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """A write under way; `call` is what it asks next, until `outcome` is known."""

    write: Write
    staleness: Milliseconds
    call: Call
    outcome: Won | Lost | None = None
    sent: int = 1
    unread: int = 0
    settled: bool = False

    @classmethod
    def of(cls, write: Write, staleness: Milliseconds) -> Commitment:
        """Return the commitment about to send `write` to a store with S as `staleness`."""
        return cls(write, staleness, write)

    def resume(self, answer: Answer) -> Commitment:
        """Return the commitment after an answer; raises `OutcomeUnknown`, or the store's refusal."""
        if isinstance(self.call, Wait):
            return replace(self, call=Read(self.write.name), settled=True)
        return self._sent(answer) if isinstance(self.call, Write) else self._read(answer)

    def _sent(self, answer: Answer) -> Commitment:
        uncertain = isinstance(answer, Conflict | StoreTimeout)
        if uncertain or (isinstance(answer, StoreError) and self.sent > 1):
            # After a conflict too: a client below us may have sent the write twice.  And an
            # earlier sending may still land, whatever became of this one.
            return replace(self, call=Read(self.write.name), settled=self.staleness == 0)
        return replace(self, outcome=Won(version(answer)))

    def _read(self, answer: Answer) -> Commitment:
        if isinstance(answer, StoreError):
            if self.unread < MAX_TRIES:
                return replace(self, unread=self.unread + 1)
            raise self._unknown("no answer came, and the document can't be read")
        found, draft = versioned(answer), self.write.draft
        if found is not None:
            there = document.decode_authority(self.write.name.ring, found.draft.data)
            if _holds(draft.write_id, there.lineage):
                overtaken = there.revision != draft.revision
                return replace(self, outcome=Won(found.version, overtaken))
        if (None if found is None else found.version) != self.write.expected:
            return replace(self, outcome=Lost())
        if not self.settled:
            return replace(self, call=Wait(self.staleness))
        if self.sent >= MAX_TRIES:
            raise self._unknown(f"it was sent {self.sent} times and may still land")
        # Unchanged is not lost: the first sending may still land, and then these bytes are its.
        return replace(self, call=self.write, sent=self.sent + 1)

    def _unknown(self, why: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"whether the write {self.write.draft.write_id} to {self.write.name} landed is not known",
            why=why,
            fix="repeat the command when the store answers: it finds out, and does nothing twice",
        )


def _holds(write_id: UUID, lineage: tuple[Commit, ...]) -> bool:
    return any(commit.write_id == write_id for commit in lineage)
