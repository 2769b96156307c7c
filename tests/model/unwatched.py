"""Witnesses of a store that was tampered with: they note what happens, and judge nothing of it."""

from __future__ import annotations

from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from keyvault_jwt import document
from keyvault_jwt.clock import Instant
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from tests.model.shown import authority_of, derived_of
from tests.model.witness import Witness


class Unwatched(Witness):
    """A witness that only remembers what was committed last: for stores that were tampered with."""

    def landed(self, name: DocumentName, draft: Draft, now: Instant) -> Witness:
        """Return the witness after a write; nothing is judged."""
        if name.kind is not DocumentKind.AUTHORITY:
            return self
        return replace(self, latest=authority_of(draft.data, name.ring))


class Noting(Unwatched):
    """A witness over a store whose authority was put back: it notes what happens and judges nothing.

    With the new epoch that a recovery commits, it judges again, by everything it noted.
    """

    @classmethod
    def after(cls, witness: Witness, latest: Keyring | None) -> Noting:
        """Return the witness that goes on noting, from a committed keyring that is another now."""
        return cls(**_parts(witness) | {"latest": latest})

    def landed(self, name: DocumentName, draft: Draft, now: Instant) -> Witness:
        """Return the witness after a write; nothing is judged but a recovery's stamps."""
        if name.kind is DocumentKind.ARCHIVE:
            return self
        if name.kind is not DocumentKind.AUTHORITY:
            shown = derived_of(name, draft.data)
            noted = self if self.latest is None else self.undone(name, draft, now)
            return noted._policy(shown.policy, now) if isinstance(shown, document.PublicDocument) else noted
        after = authority_of(draft.data, name.ring)
        noted = replace(
            self,
            latest=after,
            commits=MappingProxyType({**self.commits, (after.epoch, after.revision): after}),
            prints=MappingProxyType({record.kid: record.fingerprint for record in after.records}),
        )
        if self.latest is None or after.epoch == self.latest.epoch:
            return noted
        for record in after.records:
            noted._stamps(record, after)
        return Witness(**_parts(noted))


def _parts(witness: Witness) -> dict[str, Any]:
    return {each.name: getattr(witness, each.name) for each in fields(Witness)}
