"""PublicView: a keyring as its public document tells it, to whom its authority is closed."""

from __future__ import annotations

from dataclasses import dataclass

from .. import document
from ..clock import Instant
from ..document import PublicDocument
from ..errors import KeyvaultJWTError, StoreDenied
from ..keys import KeyRecord, KeyState
from ..store import DocumentKind, DocumentName, DocumentStore


@dataclass(frozen=True, slots=True)
class PublicView:
    """What anyone may know of a keyring at the instant `at`; `closed` is why it is not more.

    The document is written after the authority, so that after a crash it is behind by what
    that pass did, until the next pass.  What is planned, which private halves are left and
    whether a migration is under way can't be told from it.
    """

    public: PublicDocument
    at: Instant
    closed: KeyvaultJWTError

    @property
    def note(self) -> str:
        """Where this was read, and what that means."""
        return (
            f"{self.public.ring}: read from its public document, revision {self.public.revision}, since "
            f"the authority is closed here ({self.closed.code}); it may be one pass behind, and tells no plan"
        )

    @property
    def active(self) -> KeyRecord | None:
        """The key that signs, if any."""
        return next((record for record in self.public.records if record.state is KeyState.ACTIVE), None)

    @property
    def rotation_due(self) -> Instant | None:
        """When the active key has signed for as long as the policy says; None if that will not end here."""
        active = self.active
        if active is None or active.activated is None or self.frozen_to is not None:
            return None
        return active.activated + self.public.policy.timing(0).rotate_every

    @property
    def frozen_to(self) -> str | None:
        """Where the keyring lives on, which is the last that is noted of one."""
        newest = self.public.events[-1:]
        return newest[0].detail if newest and newest[0].action == "frozen" else None


def public_view(store: DocumentStore, ring: str, now: Instant, closed: KeyvaultJWTError) -> PublicView | None:
    """Read the public document; None if there is none, or it is closed too.  Raises other store's errors."""
    try:
        found = store.read(DocumentName(ring, DocumentKind.PUBLIC))
    except StoreDenied:
        return None
    if found is None:
        return None
    return PublicView(document.decode_public(ring, found.draft.data), now, closed)
