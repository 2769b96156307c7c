"""Seen: a derived document as a pass last knew it, and whether it must be written anew."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import document
from .calls import Answer, versioned
from .document import Derived
from .errors import CorruptDocument, ForeignDocument
from .keyring import Keyring
from .store import DocumentKind, DocumentName, Version


@dataclass(frozen=True, slots=True)
class Seen:
    """A derived document; `observed` if it was read, not just written by us."""

    version: Version | None = None
    document: Derived | None = None
    data: bytes = field(default=b"", repr=False)
    observed: bool = False

    def lags(self, wanted: Derived) -> bool:
        """Whether `wanted` must be written over it: it is absent, unreadable, or older and different.

        Only ever over a lower (epoch, revision), so that a derived document never goes backwards.
        """
        have = self.document
        if have is None:
            return True
        if have.epoch != wanted.epoch:
            return have.epoch < wanted.epoch
        return have.revision < wanted.revision and not document.says_the_same(have, wanted)

    def contradicts(self, kind: DocumentKind, keyring: Keyring) -> bool:
        """Whether it is unreadable, or stands at the keyring's revision with other bytes."""
        if not self.observed or self.version is None:
            return False
        have = self.document
        if have is None:
            return True
        if (have.epoch, have.revision) != (keyring.epoch, keyring.revision):
            return False
        return self.data != document.derived_draft(kind, document.derive(kind, keyring)).data


def as_read(name: DocumentName, answer: Answer) -> Seen:
    """Return what a read showed; bytes that are no document of ours are kept apart, to be replaced.

    Nothing is lost with them: a derived document is a function of the authority.  A newer
    schema raises `NewerSchema`, since its writer is right; other errors that were the answer
    are raised, too.
    """
    if isinstance(answer, CorruptDocument | ForeignDocument) and answer.version is not None:
        return Seen(Version(answer.version), observed=True)
    found = versioned(answer)
    if found is None:
        return Seen(observed=True)
    try:
        decoded = document.decode_derived(name, found.draft.data)
    except (CorruptDocument, ForeignDocument):
        return Seen(found.version, None, found.draft.data, observed=True)
    return Seen(found.version, decoded, found.draft.data, observed=True)
