"""What only AWS can say, as branches of the core's tree.

StoreError
├── StoreUnavailable
│   ├── Unreachable          aws_unreachable        (no such host, refused, no route, time-out, broken off)
│   ├── NotTrusted           aws_not_trusted        (TLS)
│   ├── Throttled            aws_throttled
│   ├── ServiceFailed        aws_failed             (5xx, and answers that are not the service's)
│   ├── KeyOfVersionGone     aws_key_gone           (a version that was replaced, and its key deleted)
│   └── OutOfTime            aws_out_of_time        (a Lambda function that is about to be ended)
├── StoreDenied
│   ├── Denied               aws_denied
│   ├── BadCredentials       aws_credentials        (none found, expired, not known)
│   └── KmsDenied            aws_kms_denied
├── StoreFull
│   └── VersionsSpent        aws_versions_spent     (no more versions or labels for now)
├── WrongRegion              aws_wrong_region       (a replica, a region not enabled, a signature for another)
├── KmsFailed                aws_kms                (a key that is disabled, deleted or of the wrong kind)
├── SealedDocument           aws_sealed             (private_halves=separate is not in the store URL)
└── ScheduledForDeletion     aws_deleted

DocumentError
├── CorruptDocument
│   └── TwoCurrentVersions   aws_two_current        (planted by hand: the service itself never does it)
└── ForeignDocument
    └── BinarySecret         aws_binary_secret


UsageError
└── BadRotation              aws_rotation_refused   (no step of a rotation, or of another secret than ours)

Conflict
└── RotationOvertaken        aws_rotation_overtaken (others wrote, or rotated, since it was decided)

GateError
└── CandidateRefused         aws_candidate_refused  (what would become current does not pass its test)
"""

from __future__ import annotations

from keyvault_jwt.errors import (
    Conflict,
    CorruptDocument,
    ForeignDocument,
    GateError,
    StoreDenied,
    StoreError,
    StoreFull,
    StoreUnavailable,
    UsageError,
)


class Unreachable(StoreUnavailable):
    """No connection to the service, or one that ended before the answer to a harmless request."""

    code = "aws_unreachable"


class NotTrusted(StoreUnavailable):
    """The endpoint's certificate is not trusted."""

    code = "aws_not_trusted"


class Throttled(StoreUnavailable):
    """The account's rate of requests was used up, and stayed so through all repetitions."""

    code = "aws_throttled"


class ServiceFailed(StoreUnavailable):
    """An internal error of the service, or an answer that it does not give."""

    code = "aws_failed"


class KeyOfVersionGone(StoreUnavailable):
    """A version of a document can't be opened any more, since another one replaced it."""

    code = "aws_key_gone"


class OutOfTime(StoreUnavailable):
    """Too little is left of a Lambda function's time for another request."""

    code = "aws_out_of_time"


class Denied(StoreDenied):
    """The identity's policies grant too little."""

    code = "aws_denied"


class BadCredentials(StoreDenied):
    """No credentials were found, or the service takes them no more."""

    code = "aws_credentials"


class KmsDenied(StoreDenied):
    """The secret may be read or written, but not its KMS key used."""

    code = "aws_kms_denied"


class VersionsSpent(StoreFull):
    """The secret has as many versions or labels as it may have."""

    code = "aws_versions_spent"


class WrongRegion(StoreError):
    """The region of the store URL is not one where these documents can be written or this account works."""

    code = "aws_wrong_region"


class KmsFailed(StoreError):
    """The KMS key of a secret can't encrypt or decrypt it."""

    code = "aws_kms"


class SealedDocument(StoreError):
    """A document is sealed under keys of its own, of which the store URL says nothing."""

    code = "aws_sealed"


class ScheduledForDeletion(StoreError):
    """A secret that somebody deleted, and that may still be restored."""

    code = "aws_deleted"


class TwoCurrentVersions(CorruptDocument):
    """A secret of which two versions are labelled AWSCURRENT."""

    code = "aws_two_current"


class BinarySecret(ForeignDocument):
    """A binary secret that is none of ours, where a document is expected."""

    code = "aws_binary_secret"


class BadRotation(UsageError):
    """What is asked is no step of a rotation that Secrets Manager began on a keyring's authority."""

    code = "aws_rotation_refused"


class RotationOvertaken(Conflict):
    """Another writer was first since the rotation was decided; its candidate can't become current."""

    code = "aws_rotation_overtaken"


class CandidateRefused(GateError):
    """The candidate of a rotation, or what would be published with it, is not what it must be."""

    code = "aws_candidate_refused"
