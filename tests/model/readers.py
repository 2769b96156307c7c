"""Signers, publishers and verifiers as crowds: every one that could exist, at every age a lease allows.

Readers change nothing, so a world need not choose when each of them reads: it keeps, for every
state of a document that some reader may still act on, the latest moment at which one read it.
Any two signers and any two verifiers are among them.  Reading, admitting and leasing are the
real `Follower` of the real `Signer` and `Publisher`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from keyvault_jwt import document
from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.errors import RolledBack
from keyvault_jwt.follower import Follower, Held
from keyvault_jwt.history import require_continuation
from keyvault_jwt.marks import Mark
from keyvault_jwt.published_set import PublishedSet
from keyvault_jwt.publisher import Publisher
from keyvault_jwt.signer import Signer, SigningTerms
from keyvault_jwt.store import DocumentName, Version, Versioned
from tests.model.model_store import PUBLIC, RING, SIGNING, VERIFICATION, ModelStore


@dataclass(frozen=True, slots=True)
class Reader:
    """A signer or publisher that holds a document since a read sent at `sent`."""

    held: Held[SigningTerms] | Held[PublishedSet]
    sent: Instant

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from every other."""
        return (self.held.digest, self.sent)


@dataclass(frozen=True, slots=True)
class Copy:
    """The keys a verifier holds, and until when (exclusive) it may go by them: request sent + C + G."""

    kids: frozenset[str]
    until: Instant
    revision: tuple[int, int]
    sent: Instant


@dataclass(frozen=True)
class Crowd:
    """All readers that the past allows, and for each kid until when its youngest token lives.

    `newcomers` are readers without a memory, which may start at any time.  `secrets` is the newest
    revision of `verification` that was read: its readers have no lease, and remember that much.
    """

    signers: tuple[Reader, ...] = ()
    publishers: tuple[Reader, ...] = ()
    copies: tuple[Copy, ...] = ()
    tokens: tuple[tuple[str, Instant], ...] = ()
    newcomers: bool = True
    secrets: Mark | None = None

    @cached_property
    def mark(self) -> int:
        """The hash of all that decides about the future, worked out once."""
        readers = (tuple(r.key for r in self.signers), tuple(r.key for r in self.publishers))
        return hash(
            (
                readers,
                tuple((c.kids, c.until) for c in self.copies),
                self.tokens,
                self.newcomers,
                self.secrets,
            )
        )

    def __hash__(self) -> int:
        return self.mark

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Crowd) and self.mark == other.mark

    def seen(self, store: ModelStore, now: Instant, skew: Milliseconds) -> Crowd:
        """Return the crowd after everybody who may read the store has done so, or not."""
        shown = tuple(_shown(store, name, now) for name in (SIGNING, PUBLIC, VERIFICATION))
        return _seen(self, shown, now, skew)


class _Now:
    """The clock of every follower: it shows what it was set to."""

    def __init__(self) -> None:
        self.now: Instant = 0

    def wall(self) -> Instant:
        """Return the world's time."""
        return self.now

    def monotonic(self) -> Milliseconds:
        """Return the same: that wall clocks are stepped is a matter of the follower's own tests."""
        return self.now


class _Shelf:
    """A store that shows the one document it was given."""

    staleness: Milliseconds = 0

    def __init__(self) -> None:
        self.document: Versioned | None = None

    def read(self, name: DocumentName) -> Versioned | None:
        """Return the document."""
        return self.document

    def replace(self, name: DocumentName, draft: object, *, expected: Version | None) -> Version:
        """Readers write nothing."""
        raise AssertionError(f"{name} was written by a reader")

    def names(self) -> tuple[DocumentName, ...]:
        """Return nothing: readers know what they read."""
        return ()


class _Unkept:
    """Marks that nobody keeps: each reader's own is put into its place by hand."""

    def load(self, ring: str) -> None:
        """Return nothing."""

    def save(self, ring: str, mark: Mark) -> Mark:
        """Return the mark as it is."""
        return mark

    def reset(self, ring: str) -> None:
        """There is nothing to forget."""


class _Reading:
    """One real follower through which every reader of a role reads, one after the other."""

    def __init__(self, role: type[Signer | Publisher]) -> None:
        self._clock, self._shelf = _Now(), _Shelf()
        made = role(
            self._shelf,
            RING,
            clock=self._clock,
            background=False,
            marks=_Unkept(),
            listener=lambda event: None,
        )  # type: ignore[arg-type]
        self._follower: Follower[SigningTerms] | Follower[PublishedSet] = made._follower

    def read(self, before: Reader | None, found: Versioned, now: Instant) -> Reader | None:
        """Return the reader after one more read, None if it holds nothing it may use."""
        self._clock.now, self._shelf.document = now, found
        self._stand_at(before)
        self._follower.refresh()
        held = self._follower.held
        return None if held is None else Reader(held, held.lease.age.started)

    def uses(self, reader: Reader, now: Instant) -> SigningTerms | PublishedSet | None:
        """Return what a reader may act on now, None past its lease."""
        self._clock.now = now
        self._stand_at(reader)
        found = self._follower.peek()
        return None if found is None else found[0]

    def _stand_at(self, reader: Reader | None) -> None:
        """Put the follower in the place of a reader: it has no other memory than this."""
        follower, watermark = self._follower, self._follower._watermark
        follower._held = None if reader is None else reader.held  # type: ignore[assignment]
        follower._failure = follower._tried = None
        watermark._seen, watermark._loaded, watermark._doubt = None, True, None
        if reader is not None:
            reading = reader.held.reading
            mark = watermark.admit(reading.head, kids=reading.kids, revoked=reading.revoked)
            watermark.keep(mark)


@lru_cache(maxsize=1)
def _signing() -> _Reading:
    return _Reading(Signer)


@lru_cache(maxsize=1)
def _publishing() -> _Reading:
    return _Reading(Publisher)


def _shown(store: ModelStore, name: DocumentName, now: Instant) -> tuple[Versioned, ...]:
    found = {f for f in store.read_any(name, now) if f is not None}
    return tuple(sorted(found, key=lambda f: int(f.version)))


@lru_cache(maxsize=1 << 17)
def _seen(crowd: Crowd, shown: tuple[tuple[Versioned, ...], ...], now: Instant, skew: Milliseconds) -> Crowd:
    signing, public, verification = shown
    signers = _after_reads(_signing(), crowd.signers, signing, now, newcomers=crowd.newcomers)
    publishers = _after_reads(_publishing(), crowd.publishers, public, now, newcomers=crowd.newcomers)
    copies = [copy for copy in crowd.copies if now < copy.until]
    copies += [copy for reader in publishers if (copy := _fetched(reader, now)) is not None]
    read = [_verification(found.draft.data) for found in verification]
    taken = [each for each in read if crowd.newcomers or _continues(each, crowd.secrets)]
    copies += [_secrets(each, now) for each in taken]
    marks = [Mark(each.epoch, each.revision, each.write_id) for each in taken]
    tokens = {kid: end for kid, end in crowd.tokens if now < end}
    for reader in signers:
        terms = _signing().uses(reader, now)
        if isinstance(terms, SigningTerms) and terms.key is not None:
            kid, end = terms.key.kid, now + terms.token_ttl + _leeway(public) + skew
            tokens[kid] = max(end, tokens.get(kid, 0))
    return replace(
        crowd,
        signers=signers,
        publishers=publishers,
        copies=_latest_copies(copies),
        tokens=tuple(sorted(tokens.items())),
        secrets=max(marks, key=lambda mark: mark.position, default=crowd.secrets),
    )


def _after_reads(
    reading: _Reading,
    readers: tuple[Reader, ...],
    shown: tuple[Versioned, ...],
    now: Instant,
    *,
    newcomers: bool,
) -> tuple[Reader, ...]:
    """Return, for each state of the document that is still in use, who read it last."""
    after = {reader.held.digest: reader for reader in readers if reading.uses(reader, now) is not None}
    for found in shown:
        for before in (*readers, *([None] if newcomers else [])):
            reader = reading.read(before, found, now)
            if reader is not None and reader.sent == now:
                after[reader.held.digest] = reader
    if not (after or newcomers):
        # Past their leases they act on nothing, and yet their memory is all there is to judge by.
        return readers
    return tuple(after[digest] for digest in sorted(after))


def _fetched(reader: Reader, now: Instant) -> Copy | None:
    shown = _publishing().uses(reader, now)
    if not isinstance(shown, PublishedSet) or not shown.document.kids:
        return None
    until = now + 1000 * (shown.max_age + shown.max_stale)
    return Copy(shown.document.kids, until, (shown.epoch, shown.revision), now)


def _continues(read: document.VerificationDocument, seen: Mark | None) -> bool:
    """Whether a reader that saw `seen` takes the document: its memory is a place in history."""
    try:
        require_continuation(read, seen)
    except RolledBack:
        return False
    return True


def _secrets(read: document.VerificationDocument, now: Instant) -> Copy:
    timing = read.policy.timing(0)
    until = now + timing.jwks_max_age + timing.max_stale
    return Copy(read.kids, until, (read.epoch, read.revision), now)


@lru_cache(maxsize=4096)
def _verification(data: bytes) -> document.VerificationDocument:
    return document.decode_verification(RING, data)


@lru_cache(maxsize=4096)
def _public(data: bytes) -> document.PublicDocument:
    return document.decode_public(RING, data)


def _leeway(public: tuple[Versioned, ...]) -> Milliseconds:
    """Return W: how long after exp a token is still good."""
    return max((_public(found.draft.data).policy.timing(0).leeway for found in public), default=0)


def _latest_copies(copies: list[Copy]) -> tuple[Copy, ...]:
    """Keep, of the copies with the same keys, the one that may be used longest: it allows most."""
    latest: dict[frozenset[str], Copy] = {}
    for copy in copies:
        there = latest.get(copy.kids)
        if there is None or there.until < copy.until:
            latest[copy.kids] = copy
    return tuple(sorted(latest.values(), key=lambda copy: (copy.until, sorted(copy.kids))))
