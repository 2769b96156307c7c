"""recover: a new epoch over a store that was restored or forked, in which nothing retired comes back."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from . import base64url
from .clock import Instant
from .document import Archive, Derived, PublicDocument, SigningDocument, VerificationDocument
from .errors import KeyringNotFound
from .key_factory import FreshKey
from .keyring import Keyring, Superseded
from .keys import KeyRecord, KeyState, fingerprint
from .ledger import Ledger
from .marks import Mark

Evidence = Derived | Archive


def recovered(
    ring: str, keyring: Keyring | None, evidence: Iterable[Evidence], mark: Mark | None, now: Instant
) -> Keyring:
    """Return the keyring in a new epoch, above every revision that any evidence shows.

    Each key takes the most retired state that the authority, a derived document, an archive
    or the high-water mark shows.  Public halves that only a newer document knows are adopted
    as deactivated, so that their tokens stay valid; the active one signs on if `signing` holds it.
    Raises `KeyringNotFound` with nothing to recover from.
    """
    found = tuple(evidence)
    base = keyring if keyring is not None else _from_public(ring, found)
    records = {record.kid: record for record in base.records}
    for record in _shown(found):
        mine = records.get(record.kid)
        records[record.kid] = _furthest(mine, record) if mine is not None else _adopted(record, found, now)
    if mark is not None:
        if mark.position > max(_points(base, found)):
            records = {kid: _remembered(record, mark, now) for kid, record in records.items()}
        for kid in mark.revoked & records.keys():
            if records[kid].compromised is None:
                records[kid] = _compromised(records[kid], now)
    listed = {ref.number for ref in base.archives}
    archived = {
        record.kid
        for document in found
        if isinstance(document, Archive) and document.number in listed
        for record in document.records
    }
    base = _with_shown_policies(base, found)
    kept = tuple(_settled(_outlasting(r, base), found) for r in records.values() if r.kid not in archived)
    return _new_epoch(base, _one_active(kept, now), found, mark, now)


def _with_shown_policies(base: Keyring, found: tuple[Evidence, ...]) -> Keyring:
    """Return the keyring in which every other policy that verifiers were shown of late counts anew (I8).

    Also those whose end is on record: what is shown may have been put back since, and verifiers
    obey it again; or they were shown it again later, and what told of that was put back.
    """
    base = base.replaced(superseded=tuple(Superseded(old.policy) for old in base.superseded))
    for document in found:
        if isinstance(document, PublicDocument | VerificationDocument) and document.policy != base.policy:
            base = base.policy_shown_again(document.policy)
    return base


def _outlasting(record: KeyRecord, base: Keyring) -> KeyRecord:
    """Return the record with L_max and P_max of every policy under which it may have signed (I2)."""
    if record.activated is None and record.state is not KeyState.DEACTIVATED:
        return record
    timings = [policy.timing(0) for policy in (base.policy, *(old.policy for old in base.superseded))]
    return msgspec.structs.replace(
        record,
        token_ttl_max=max(record.token_ttl_max, *(timing.token_ttl for timing in timings)),
        lease_max=max(record.lease_max, *(timing.signer_lease for timing in timings)),
    )


def _shown(found: tuple[Evidence, ...]) -> Iterable[KeyRecord]:
    """Yield every record that a public document or an archive shows, with what verifies its tokens."""
    secrets = {
        key["kid"]: base64url.decode(key["k"])
        for document in found
        if isinstance(document, VerificationDocument)
        for key in document.keys
    }
    for document in found:
        if isinstance(document, PublicDocument):
            halves = {key["kid"]: key for key in document.keys}
            for record in document.records:
                yield _with_half(record, halves.get(record.kid), secrets.get(record.kid))
        elif isinstance(document, Archive):
            yield from document.records


def _with_half(record: KeyRecord, half: dict[str, str] | None, secret: bytes | None) -> KeyRecord:
    """Return a record shown in public together with its public half, or the secret it stands for."""
    if half is not None:
        return msgspec.structs.replace(record, public=_members(half))
    if secret is None:
        return record
    fresh = FreshKey(kid=record.kid, algorithm=record.algorithm, public=None, private=secret)
    return msgspec.structs.replace(record, private=secret, fingerprint=fingerprint(fresh))


def _furthest(mine: KeyRecord, shown: KeyRecord) -> KeyRecord:
    """Return the record in the most retired of two states, with the private half that is at hand."""
    if shown.state.retirement <= mine.state.retirement:
        return mine
    return msgspec.structs.replace(
        shown,
        fingerprint=mine.fingerprint,
        public=mine.public,
        private=mine.private,
        reference=mine.reference,
        token_ttl_max=max(mine.token_ttl_max, shown.token_ttl_max),
        lease_max=max(mine.lease_max, shown.lease_max),
    )


def _adopted(shown: KeyRecord, found: tuple[Evidence, ...], now: Instant) -> KeyRecord:
    """Return a key that only a newer document knows: it can verify, but never sign again.

    But for the active key, if `signing` still holds its private half: signers go on with it.
    """
    if shown.state in {KeyState.COMPROMISED, KeyState.DESTROYED}:
        return shown
    halves = (d.key for d in found if isinstance(d, SigningDocument) and d.key is not None)
    half = next((half for half in halves if half.kid == shown.kid), None)
    if shown.state is KeyState.ACTIVE and half is not None:
        return msgspec.structs.replace(
            shown, public=half.public, private=half.private, reference=half.reference
        )
    if shown.public is None and shown.private is None:
        return msgspec.structs.replace(shown, state=KeyState.DESTROYED, destroyed=now, removed=None)
    return _deactivated(shown, now)


def _remembered(record: KeyRecord, mark: Mark, now: Instant) -> KeyRecord:
    """Return a record of a store that is older than the mark, as far retired as the mark knows it.

    Verifiers may have let go of a key that retired since: it must not sign again.
    """
    if mark.usable is None or record.kid in mark.usable | mark.revoked:
        return record
    if record.kid not in mark.verifying and record.state.published:
        return msgspec.structs.replace(record, state=KeyState.DESTROYED, destroyed=now, removed=None)
    if record.state.retirement < KeyState.DEACTIVATED.retirement:
        return _deactivated(record, now)
    return record


def _deactivated(record: KeyRecord, now: Instant) -> KeyRecord:
    """Return the record of a key that only verifies from now on, for good."""
    return msgspec.structs.replace(
        record,
        state=KeyState.DEACTIVATED,
        activated=record.activated or record.created,
        deactivated=now,
        stopped=None,
        barred=True,
    )


def _compromised(record: KeyRecord, now: Instant) -> KeyRecord:
    state = record.state if record.state is KeyState.DESTROYED else KeyState.COMPROMISED
    return msgspec.structs.replace(
        record, state=state, compromised=now, revoked=None, reason="known as revoked outside the store"
    )


def _settled(record: KeyRecord, found: tuple[Evidence, ...]) -> KeyRecord:
    """Return the record with only those stamps that will be proven again."""
    if record.fingerprint == "":
        record = msgspec.structs.replace(record, fingerprint=f"gone-{record.kid}")
    if record.state is KeyState.DEACTIVATED:
        return msgspec.structs.replace(record, stopped=None)
    shown = [d.kids for d in found if not isinstance(d, SigningDocument | Archive)]
    if record.state is KeyState.PRE_ACTIVATION and not all(record.kid in kids for kids in shown):
        return msgspec.structs.replace(record, published=None)
    if not record.state.published and (record.can_sign or any(record.kid in kids for kids in shown)):
        # Somebody may have fetched it anew, and a restored private half must go with the proof.
        return msgspec.structs.replace(record, revoked=None, removed=None)
    return record


def _one_active(records: tuple[KeyRecord, ...], now: Instant) -> tuple[KeyRecord, ...]:
    """Keep at most one active key: the one that was activated last and can still sign."""
    active = [r for r in records if r.state is KeyState.ACTIVE and r.can_sign]
    keep = max(active, key=lambda r: (r.activated or 0, r.kid), default=None)
    return tuple(_deactivated(r, now) if r.state is KeyState.ACTIVE and r is not keep else r for r in records)


def _points(base: Keyring, found: tuple[Evidence, ...]) -> list[tuple[int, int]]:
    """Return the (epoch, revision) of everything that the store shows."""
    return [(document.epoch, document.revision) for document in (base, *found)]


def _new_epoch(
    base: Keyring,
    records: tuple[KeyRecord, ...],
    found: tuple[Evidence, ...],
    mark: Mark | None,
    now: Instant,
) -> Keyring:
    points = [*_points(base, found), *([] if mark is None else [mark.position])]
    epoch = max(now, 1 + max(point[0] for point in points))
    revision = max(point[1] for point in points)
    ring = base.replaced(records=records, epoch=epoch, revision=revision, lineage=(), frozen_to=None)
    return ring.told(now, "recovered", detail=f"epoch {epoch} above revision {revision}")


def _from_public(ring: str, found: tuple[Evidence, ...]) -> Keyring:
    """Return a keyring to build on where `authority` is gone: no private half is left."""
    publics = [document for document in found if isinstance(document, PublicDocument)]
    if not publics:
        raise KeyringNotFound(
            f"there is nothing of keyring {ring} to recover from",
            why="neither its authority nor its public document is there",
            fix="restore one of them from a backup, or `create` the keyring",
        )
    public = max(publics, key=lambda document: (document.epoch, document.revision))
    return Keyring(
        ring=ring,
        issuer=public.issuer,
        epoch=public.epoch,
        revision=public.revision,
        write_id=public.write_id,
        policy=public.policy,
        ledger=Ledger(base=public.events_base, entries=public.events, next_seq=_next_seq(public)),
    )


def _next_seq(public: PublicDocument) -> int:
    return public.events[-1].seq + 1 if public.events else 1


def _members(key: dict[str, str]) -> dict[str, str]:
    kept = {"kty", "crv", "x", "y", "n", "e", "pub"} | ({"alg"} if key["kty"] == "AKP" else set())
    return {name: value for name, value in key.items() if name in kept}
