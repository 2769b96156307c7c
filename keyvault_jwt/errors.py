"""Every failure of keyvault-jwt, as one tree with stable codes.

    KeyvaultJWTError                 error
    ├── UsageError                   usage               (exit 2)
    │   ├── BadRingName              bad_ring_name
    │   ├── BadDuration              bad_duration
    │   ├── BadStoreURL              bad_store_url
    │   ├── BadURL                   bad_url
    │   ├── IssuerMismatch           issuer_mismatch
    │   └── MissingExtra             missing_extra
    ├── GateError                    gate                (exit 3)
    │   ├── PolicyRefused            policy_refused
    │   ├── InvariantBroken          invariant_broken
    │   ├── NoReadyKey               no_ready_key
    │   ├── KeyringFrozen            keyring_frozen
    │   ├── ClockBehind              clock_behind
    │   ├── ClockJumped              clock_jumped
    │   └── RollbackRefused          rollback_refused
    ├── KeyringNotFound              keyring_not_found
    ├── KeyringExists                keyring_exists
    ├── KidNotFound                  kid_not_found
    ├── KeyRefused                   key_refused
    │   ├── WeakKey                  weak_key
    │   ├── WrongKeyType             wrong_key_type
    │   ├── KeyMismatch              key_mismatch
    │   ├── KidReused                kid_reused
    │   └── PrivateMember            private_member
    ├── DocumentError                document
    │   ├── CorruptDocument          document_corrupt
    │   ├── ForeignDocument          document_foreign
    │   ├── NewerSchema              document_newer_schema
    │   ├── WrongMasterKey           document_wrong_master_key
    │   ├── DocumentTooLarge         document_too_large
    │   ├── RolledBack               document_rolled_back
    │   └── FutureDocument           document_future
    ├── MasterKeyError               master_key
    ├── StoreError                   store               (exit 4)
    │   ├── StoreUnavailable         store_unavailable
    │   ├── StoreDenied              store_denied
    │   ├── StoreFull                store_full
    │   ├── StoreTimeout             store_timeout
    │   └── OutcomeUnknown           outcome_unknown
    ├── Conflict                     conflict            (exit 5)
    │   └── LostRace                 lost_race
    ├── RemovalUnconfirmed           removal_unconfirmed
    ├── LeaseError                   lease
    │   ├── SignerLeaseExpired       signer_lease_expired
    │   ├── PublisherLeaseExpired    publisher_lease_expired
    │   └── NoActiveKey              no_active_key
    ├── TokenRefused                 token_refused       (what a signer won't mint)
    ├── FileUnreadable               file_unreadable
    ├── FileUnwritable               file_unwritable
    ├── FetchError                   fetch
    │   └── DiscoveryError           discovery
    └── VerificationError            verification        (verification_errors.py)

Each says what happened, why, and what to do; none carries key material, a token or a credential.
"""

from __future__ import annotations

from typing import ClassVar


class KeyvaultJWTError(Exception):
    """Root of every error raised here: `what` happened, `why`, and the `fix`."""

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        self.what, self.why, self.fix = what, why, fix
        super().__init__(what)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.why, self.fix))

    def __str__(self) -> str:
        parts = [self.what, f"why: {self.why}" if self.why else "", f"do: {self.fix}" if self.fix else ""]
        return "; ".join(part for part in parts if part)

    def as_dict(self) -> dict[str, str]:
        """Return the JSON form: code, what, why and fix."""
        return {"code": self.code, "what": self.what, "why": self.why, "fix": self.fix}


def _rebuild(kind: type[KeyvaultJWTError], what: str, why: str, fix: str) -> KeyvaultJWTError:
    return kind(what, why=why, fix=fix)


class UsageError(KeyvaultJWTError):
    """The caller asked for something that has no meaning."""

    code = "usage"
    exit_status = 2


class BadRingName(UsageError):
    """A keyring name outside `[a-z0-9][a-z0-9._-]{0,62}`, or with `..`."""

    code = "bad_ring_name"


class BadDuration(UsageError):
    """A duration that is not written like `90d`, `15m`, `30s` or `500ms`."""

    code = "bad_duration"


class BadStoreURL(UsageError):
    """A store URL that no provider understands."""

    code = "bad_store_url"


class BadURL(UsageError):
    """A web address that keys may not be fetched from."""

    code = "bad_url"


class IssuerMismatch(UsageError):
    """A keyring whose issuer is not the one that its user expects."""

    code = "issuer_mismatch"


class MissingExtra(UsageError):
    """A feature whose optional packages are not installed."""

    code = "missing_extra"


class GateError(KeyvaultJWTError):
    """A safety rule forbids the step; nothing was written."""

    code = "gate"
    exit_status = 3


class PolicyRefused(GateError):
    """A policy whose numbers break an inequality."""

    code = "policy_refused"


class InvariantBroken(GateError):
    """A step that would break one of I1–I10; each invariant has its own subclass there."""

    code = "invariant_broken"


class NoReadyKey(GateError):
    """No standby has been published long enough to sign (I1, I5)."""

    code = "no_ready_key"


class KeyringFrozen(GateError):
    """The keyring was copied to another store and takes no more changes here."""

    code = "keyring_frozen"


class ClockBehind(GateError):
    """This machine's clock is behind the keyring's last write by more than ε."""

    code = "clock_behind"


class ClockJumped(GateError):
    """This machine's wall clock was stepped by more than ε while it was being watched."""

    code = "clock_jumped"


class RollbackRefused(GateError):
    """There is no key that a rollback may put back."""

    code = "rollback_refused"


class KeyringNotFound(KeyvaultJWTError):
    """No keyring of that name in the store."""

    code = "keyring_not_found"


class KeyringExists(KeyvaultJWTError):
    """A keyring of that name is already there."""

    code = "keyring_exists"


class KidNotFound(KeyvaultJWTError):
    """No key, or more than one, answers to the given kid."""

    code = "kid_not_found"


class KeyRefused(KeyvaultJWTError):
    """Key material that can't be taken in."""

    code = "key_refused"


class WeakKey(KeyRefused):
    """A key below the strength its algorithm asks for."""

    code = "weak_key"


class WrongKeyType(KeyRefused):
    """A key of another type or curve than the algorithm's."""

    code = "wrong_key_type"


class KeyMismatch(KeyRefused):
    """A private half whose public half is another key's."""

    code = "key_mismatch"


class KidReused(KeyRefused):
    """A kid that already names other key bytes, tombstones included (I9)."""

    code = "kid_reused"


class PrivateMember(KeyRefused):
    """A private or symmetric member where only public ones may stand."""

    code = "private_member"


class DocumentError(KeyvaultJWTError):
    """A stored document that can't be used; `version` is the store's of those bytes, if it told."""

    code = "document"
    version: str | None = None


class CorruptDocument(DocumentError):
    """Truncated, altered or otherwise unreadable bytes."""

    code = "document_corrupt"


class ForeignDocument(DocumentError):
    """A document of another program, keyring or kind."""

    code = "document_foreign"


class NewerSchema(DocumentError):
    """A document written by a newer keyvault-jwt."""

    code = "document_newer_schema"


class WrongMasterKey(DocumentError):
    """A sealed document that this master key does not open."""

    code = "document_wrong_master_key"


class DocumentTooLarge(DocumentError):
    """A document over the store's size limit; it was not sent."""

    code = "document_too_large"


class RolledBack(DocumentError):
    """The store shows an older history than was already seen (restored or forked)."""

    code = "document_rolled_back"


class FutureDocument(DocumentError):
    """A document of an epoch that has not begun, by more than clocks differ."""

    code = "document_future"


class MasterKeyError(KeyvaultJWTError):
    """The embedded store's master key is missing, malformed or too widely readable."""

    code = "master_key"


class StoreError(KeyvaultJWTError):
    """The store can't be reached, or refuses."""

    code = "store"
    exit_status = 4


class StoreUnavailable(StoreError):
    """The store can't be reached; nothing was sent."""

    code = "store_unavailable"


class StoreDenied(StoreError):
    """The store denies the call; the message names the capability that is missing."""

    code = "store_denied"


class StoreFull(StoreError):
    """The store has no room; nothing was replaced."""

    code = "store_full"


class StoreTimeout(StoreError):
    """A write was sent and no answer came: it may or may not have landed."""

    code = "store_timeout"


class OutcomeUnknown(StoreError):
    """Whether a write landed could not be found out, since no read succeeds."""

    code = "outcome_unknown"


class Conflict(KeyvaultJWTError):
    """Somebody else wrote first; read again and decide again."""

    code = "conflict"
    exit_status = 5


class LostRace(Conflict):
    """Too many conflicts in a row, or a pass that did not come to rest; what it committed stands."""

    code = "lost_race"


class RemovalUnconfirmed(KeyvaultJWTError):
    """A revocation is committed, but the published set was not yet read back without the key."""

    code = "removal_unconfirmed"


class LeaseError(KeyvaultJWTError):
    """A lease ran out or has nothing to hold (I3)."""

    code = "lease"


class SignerLeaseExpired(LeaseError):
    """The signer could not confirm its key for longer than its lease."""

    code = "signer_lease_expired"


class PublisherLeaseExpired(LeaseError):
    """The publisher could not confirm its set for longer than its lease."""

    code = "publisher_lease_expired"


class NoActiveKey(LeaseError):
    """The keyring has no active key to sign with."""

    code = "no_active_key"


class TokenRefused(KeyvaultJWTError):
    """Claims or a lifetime that the signer's policy does not allow."""

    code = "token_refused"


class FileUnreadable(KeyvaultJWTError):
    """A file to read from is missing or closed to this user."""

    code = "file_unreadable"


class FileUnwritable(KeyvaultJWTError):
    """A file to write to is already there, or can't be made."""

    code = "file_unwritable"


class FetchError(KeyvaultJWTError):
    """A JWKS or metadata document could not be fetched within its bounds."""

    code = "fetch"


class DiscoveryError(FetchError):
    """Issuer metadata that is missing, malformed or names another issuer."""

    code = "discovery"
