"""Signer: tokens under the keyring's active key, for as long as the lease on it holds (I3)."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

from . import base64url, document, jwk, mint
from .algorithms import Sign, algorithm_named
from .clock import Clock, Milliseconds
from .document import ActiveHalf
from .errors import IssuerMismatch, KeyMismatch, MissingExtra, NoActiveKey, SignerLeaseExpired
from .events import Listener, log
from .follower import PATIENCE, Follower, Reading, Role
from .key_factory import load_private, public_half
from .marks import MarkStore
from .remote_signer import RemoteSigner
from .store import DocumentKind, DocumentName, DocumentStore

ROLE: Final = Role("signer", SignerLeaseExpired)


@dataclass(frozen=True, slots=True)
class ActiveKey:
    """The active key, ready to sign: its kid, its algorithm and the usual header, encoded."""

    kid: str
    algorithm: str
    header: bytes
    sign: Sign = field(repr=False)


@dataclass(frozen=True, slots=True)
class SigningTerms:
    """What a signing document allows: by which issuer, for how long (L), with which key if any."""

    issuer: str
    token_ttl: Milliseconds
    key: ActiveKey | None


class Signer:
    """Signs with whatever key the keyring's `signing` document names; thread-safe, safe to fork.

    `issuer` must be the keyring's, if given.  `marks` remember across restarts what was seen,
    and must be of this keyring's `signing` document alone.  With `background` a thread reads
    the document at the policy's interval, from the first use on; without it, call `refresh`.
    """

    def __init__(
        self,
        store: DocumentStore,
        ring: str,
        *,
        issuer: str | None = None,
        clock: Clock | None = None,
        marks: MarkStore | None = None,
        listener: Listener = log,
        background: bool = True,
        patience: timedelta = PATIENCE,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.ring = ring
        remote = store if isinstance(store, RemoteSigner) else None
        self._follower = Follower(
            store,
            DocumentName(ring, DocumentKind.SIGNING),
            ROLE,
            partial(_taken, ring, issuer, remote),
            clock=clock,
            marks=marks,
            listener=listener,
            background=background,
            patience=patience,
            jitter=jitter,
        )

    def __repr__(self) -> str:
        return f"Signer({self.ring!r}, kid={self.kid!r})"

    def __enter__(self) -> Self:
        self._follower.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def kid(self) -> str | None:
        """The kid last read as active; None if there is none or nothing was read yet."""
        held = self._follower.held
        key = None if held is None else held.reading.value.key
        return None if key is None else key.kid

    def sign(
        self,
        claims: Mapping[str, Any],
        *,
        ttl: timedelta | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> str:
        """Return a compact token over `claims` with iss, iat and exp.

        exp is iat + `ttl` (the policy's token_ttl if None), or the caller's own, at most
        token_ttl after iat.  `headers` may set `typ` and members of the caller's own.

        Raises `TokenRefused` for what may not be signed, `NoActiveKey` while the keyring has
        none, `SignerLeaseExpired` when the store has been silent for too long, and before the
        first good read whatever made it fail.
        """
        terms, now = self._follower.current()
        key = terms.key
        if key is None:
            raise NoActiveKey(
                f"keyring {self.ring} has no active key",
                why="its key was revoked and no standby was ready",
                fix=f"see `plan {self.ring}`; signing begins by itself when a key is ready",
            )
        header = key.header if headers is None else mint.header(key.algorithm, key.kid, headers)
        payload = mint.claims_set(
            claims, issuer=terms.issuer, issued=now // 1000, ttl=ttl, longest=terms.token_ttl
        )
        signing_input = header + b"." + base64url.encode_ascii(payload)
        return (signing_input + b"." + base64url.encode_ascii(key.sign(signing_input))).decode("ascii")

    def start(self) -> None:
        """Read the key now and poll from now on; raises what the first `sign` would."""
        self._follower.start()

    def refresh(self) -> None:
        """Read the document once, now; a failure is told to the listener and kept for `sign`."""
        self._follower.refresh()

    def close(self) -> None:
        """Stop; nothing is signed from now on."""
        self._follower.close()


def _taken(ring: str, issuer: str | None, remote: RemoteSigner | None, data: bytes) -> Reading[SigningTerms]:
    """Return what a signing document allows, its key bound once; raises rather than take half of it."""
    signing = document.decode_signing(ring, data)
    if issuer is not None and signing.issuer != issuer:
        raise IssuerMismatch(
            f"keyring {ring} signs for {signing.issuer}",
            why=f"this signer was made for {issuer}",
            fix="name the keyring of that issuer, or leave `issuer` out",
        )
    key = None if signing.key is None else _bound(ring, signing.key, remote)
    return Reading(
        value=SigningTerms(signing.issuer, signing.token_ttl, key),
        head=signing,
        lease=signing.lease,
        poll=signing.poll,
        kids=frozenset() if key is None else frozenset({key.kid}),
        facts={"kid": "" if key is None else key.kid},
        alarm=key is None,
    )


def _bound(ring: str, half: ActiveHalf, remote: RemoteSigner | None) -> ActiveKey:
    sign = _remotely(ring, half, remote) if half.private is None else _locally(half, half.private)
    return ActiveKey(half.kid, half.algorithm, mint.header(half.algorithm, half.kid), sign)


def _remotely(ring: str, half: ActiveHalf, remote: RemoteSigner | None) -> Sign:
    reference, algorithm = half.reference, half.algorithm
    if remote is None or reference is None:
        raise MissingExtra(
            f"the private half of {half.kid} is with a remote signer, and this store is none",
            fix="open the store by the URL that the keyring was made with (kms=sign, transit=MOUNT)",
        )
    remote.require(ring, reference, algorithm)
    if half.public is None:
        raise KeyMismatch(
            f"the signing document holds no public half of {half.kid}",
            why="what a remote signer signs could not be checked before it goes out",
            fix="let a rotator's next pass write the document anew",
        )
    good = algorithm_named(algorithm).verifier(jwk.load(half.public))

    def sign(data: bytes) -> bytes:
        signature = remote.sign(reference, algorithm, data)
        if not good(signature, data):
            raise KeyMismatch(
                f"what the remote signer returned is no signature by {half.kid}",
                why=f"it signs for {reference} with another key than was published, or in another form",
                fix="see whether an older state of it was restored; `revoke` the key if it is lost",
            )
        return signature

    return sign


def _locally(half: ActiveHalf, private: bytes) -> Sign:
    """Bind the key once; raises `KeyMismatch` when the public half is another key's."""
    key = load_private(half.algorithm, private)
    public = public_half(key)
    if half.public is not None and not isinstance(public, jwk.Secret):
        jwk.require_same(half.public, jwk.public_members(public))
    return algorithm_named(half.algorithm).signer(key)
