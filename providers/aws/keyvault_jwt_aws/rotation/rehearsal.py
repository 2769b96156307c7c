"""Rehearsal: a keyring's documents as they would be, in which its active key signs and is verified."""

from __future__ import annotations

from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.clock import Clock
from keyvault_jwt.document import derive, derived_draft, derived_kinds
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.invariants import judge
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.remote_signer import RemoteSigner
from keyvault_jwt.signer import Signer
from keyvault_jwt.store import DocumentName, DocumentStore
from keyvault_jwt.stores.memory import MemoryStore
from keyvault_jwt.verifier import Verifier

from ..errors import CandidateRefused
from ..secrets_store import AwsStore

_AUDIENCE = "keyvault-jwt rotation"


class _Remote(MemoryStore):
    """Documents here, private halves with the remote signer that has them."""

    def __init__(self, signer: RemoteSigner) -> None:
        super().__init__()
        self.require, self.sign = signer.require, signer.sign


def require_sound(after: Keyring, before: Keyring, store: AwsStore, clock: Clock) -> None:
    """Raise unless `after` may be written over `before` now, and its active key serves.

    The key signs a token, which is verified by what would be published and by what is published
    now.  Raises `InvariantBroken`, `CandidateRefused` or a store's error.
    """
    if after is not before:
        judge(before, after, clock.wall(), store.staleness)
    if after.active is None:
        raise CandidateRefused(
            f"keyring {after.ring} has no active key",
            why="its key was revoked and no standby was ready",
            fix=f"see `keyvault-jwt plan {after.ring}`; a key that is ready is promoted by itself",
        )
    rehearsed = _Remote(store) if isinstance(store, RemoteSigner) else MemoryStore()
    for kind in derived_kinds(after):
        rehearsed.replace(
            DocumentName(after.ring, kind), derived_draft(kind, derive(kind, after)), expected=None
        )
    token = _signed(after, rehearsed, clock)
    _require_taken(token, after, rehearsed, clock, "what would be published")
    _require_taken(token, after, store, clock, "what is published now")


def _signed(keyring: Keyring, store: DocumentStore, clock: Clock) -> str:
    with Signer(store, keyring.ring, issuer=keyring.issuer, clock=clock, background=False) as signer:
        return signer.sign({"sub": keyring.ring, "aud": _AUDIENCE})


def _require_taken(token: str, keyring: Keyring, store: DocumentStore, clock: Clock, which: str) -> None:
    refused: KeyvaultJWTError | None = None
    with JWKSCache.from_store(store, keyring.ring, clock=clock) as cache:
        verifier = Verifier(
            cache, issuer=keyring.issuer, audience=_AUDIENCE, algorithms=[keyring.algorithm], clock=clock
        )
        try:
            verifier.verify(token)
        except KeyvaultJWTError as error:
            refused = error
    if refused is not None:
        raise CandidateRefused(
            f"a token of the next key of {keyring.ring} is refused by {which}",
            why=f"{refused.code}: {refused}",
            fix=f"see `keyvault-jwt plan {keyring.ring}`; what signs now goes on",
        )
