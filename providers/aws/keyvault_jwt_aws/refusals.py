"""What a refusal of Secrets Manager means, as an error that says what to do."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from keyvault_jwt.errors import KeyvaultJWTError

from .address import Address
from .broken_off import unknown
from .errors import (
    BadCredentials,
    Denied,
    KmsDenied,
    KmsFailed,
    ScheduledForDeletion,
    ServiceFailed,
    Throttled,
    VersionsSpent,
    WrongRegion,
)
from .request import Refused, Request, Tries

_THROTTLED: Final = frozenset(
    {
        "LimitExceededException.Throttling",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_CREDENTIALS: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_BY_KMS: Final = re.compile(r"perform:? kms:|access to kms|kms key|ciphertext", re.IGNORECASE)
"""How a refusal reads that is KMS's own, whatever the names of roles and secrets in it."""
_BEING_DELETED: Final = re.compile(
    r"marked for deletion|(currently )?(scheduled|marked|being) .{0,12}delet", re.IGNORECASE
)
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_PREFIXES: Final = MappingProxyType({"resourcegroupstaggingapi": "tag"})
"""How policies name a service, where otherwise than the SDK."""
_REGION: Final = frozenset({"OptInRequired", "OptInRequiredException", "InvalidRegion"})


def refusal(said: Refused, asked: Request, tries: Tries, address: Address) -> KeyvaultJWTError:
    """Return the error for an answer that is no success."""
    code, message = said.code, said.message
    why = f"{address} answered {code or said.status}: {message}".rstrip(": ")
    told = (
        _region(code, message, why, address)
        or _identity(code, message, why, asked, address)
        or _kms(code, why, asked)
        or _state(code, message, why, asked)
    )
    if told is not None:
        return told
    if said.status >= 500 and tries.in_doubt and not asked.safe:
        return unknown(asked, why)
    return ServiceFailed(
        f"{address} does not carry out {asked}",
        why=why,
        fix="try again; if it stays so, see the AWS Health Dashboard and the endpoint_url",
    )


def _region(code: str, message: str, why: str, address: Address) -> KeyvaultJWTError | None:
    said = message.lower()
    replica = code == "InvalidParameterException" and "replica" in said
    scoped = code in _CREDENTIALS and "region" in said
    if not (replica or scoped or code in _REGION):
        return None
    return WrongRegion(
        f"{address.region} is not the region for this",
        why=why,
        fix="name the primary region in the store URL: replicas can't be written"
        if replica
        else "name a region in the store URL that this account has enabled",
    )


def _identity(code: str, message: str, why: str, asked: Request, address: Address) -> KeyvaultJWTError | None:
    if code in _CREDENTIALS:
        return BadCredentials(
            "AWS does not take these credentials",
            why=why,
            fix="log in again; see what `aws sts get-caller-identity` says here",
        )
    if code in _DENIED and _BY_KMS.search(message):
        return KmsDenied(
            f"the KMS key of {asked.secret} may not be used",
            why=why,
            fix="allow kms:Decrypt, and to writers kms:GenerateDataKey, in the key's policy or the role's",
        )
    if code in _DENIED:
        return Denied(
            f"AWS denies {asked}",
            why=why,
            fix=f"grant {_action(asked, address)}: `keyvault-jwt access ROLE` prints what each role needs",
        )
    return None


def _action(asked: Request, address: Address) -> str:
    """Return the request as policies name it."""
    words = asked.operation.split("_")
    return f"{_PREFIXES.get(address.service, address.service)}:{''.join(word.capitalize() for word in words)}"


def _kms(code: str, why: str, asked: Request) -> KeyvaultJWTError | None:
    if code not in {"DecryptionFailure", "EncryptionFailure"} and not code.startswith("KMS"):
        return None
    return KmsFailed(
        f"the KMS key of {asked.secret} does not work",
        why=why,
        fix="see whether the key is enabled and not scheduled for deletion; nothing was changed",
    )


def _state(code: str, message: str, why: str, asked: Request) -> KeyvaultJWTError | None:
    if code in _THROTTLED:
        return Throttled(
            f"AWS takes no more requests such as {asked} for now",
            why=why,
            fix="poll less often, or spread the work over accounts or regions",
        )
    if code == "InvalidRequestException" and _BEING_DELETED.search(message):
        return ScheduledForDeletion(
            f"{asked.secret} is scheduled for deletion",
            why=why,
            fix=f"restore it: aws secretsmanager restore-secret --secret-id {asked.secret}",
        )
    if code == "LimitExceededException":
        return VersionsSpent(
            f"{asked.secret} takes no more versions for now",
            why=why,
            fix="wait, for versions older than a day make room; find out who writes so often, or rotate less",
        )
    return None
