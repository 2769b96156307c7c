"""Kms: requests to KMS, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from keyvault_jwt.errors import StoreError

from ..errors import Denied, ServiceFailed
from ..service import Answer, Service
from .errors import BadReference, KeyDisabled, KeyNotMade, KeyPendingDeletion, NoSuchKey, WrongKey

_OURS: Final = frozenset(
    {
        "AccessDeniedException",
        "DependencyTimeoutException",
        "DisabledException",
        "InvalidArnException",
        "InvalidKeyUsageException",
        "KMSInternalException",
        "KMSInvalidStateException",
        "KeyUnavailableException",
        "LimitExceededException",
        "MalformedPolicyDocumentException",
        "NotFoundException",
        "TagException",
        "UnsupportedOperationException",
    }
)
_NOT_MADE: Final = frozenset({"ValidationException", "ValidationError", "InvalidParameterValue"})
"""What a region says of a key spec that it does not have."""


class Kms:
    """KMS in the region of the store URL; every request names its key by ARN."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def __repr__(self) -> str:
        return f"Kms({self.region!r})"

    @property
    def region(self) -> str:
        """The region whose keys are meant."""
        return self._service.address.region

    def ask(self, action: str, arn: str = "", **parameters: Any) -> Mapping[str, Any]:
        """Return the answer to an action, named as in policies; each may be carried out twice.

        Raises this package's errors.
        """
        asked = {**({"KeyId": arn} if arn else {}), **parameters}
        operation = "".join(f"_{c.lower()}" if c.isupper() else c for c in action).lstrip("_")
        ours = _OURS | _NOT_MADE if action == "CreateKey" else _OURS
        answer = self._service.request(operation, asked, expecting=ours)
        if answer.code:
            raise _refused(action, arn, answer)
        return answer.body

    def close(self) -> None:
        """Close the connections."""
        self._service.close()


def _refused(action: str, arn: str, answer: Answer) -> StoreError:
    why = f"KMS answered {answer.code}: {answer.message}".rstrip(": ")
    if answer.code == "AccessDeniedException":
        return Denied(
            f"AWS denies kms:{action}{f' on {arn}' if arn else ''}",
            why=why,
            fix=f"grant kms:{action} to the role; see `keyvault-jwt access` and the key's own policy",
        )
    if answer.code == "KMSInvalidStateException":
        return unusable(arn, answer.message, why)
    return _REFUSALS.get(answer.code, _not_made)(arn, why)


def unusable(arn: str, state: str, why: str) -> StoreError:
    """Return the error for a key that is not enabled; `state` is KMS's word, or a sentence with it."""
    word = state.lower().replace(" ", "")
    if "pendingdeletion" in word:
        return KeyPendingDeletion(
            f"the KMS key {arn} is scheduled for deletion",
            why=why,
            fix=f"`aws kms cancel-key-deletion --key-id {arn}` and `aws kms enable-key`, or `revoke` it",
        )
    if "disabled" in word:
        return KeyDisabled(
            f"the KMS key {arn} is disabled",
            why=why,
            fix=f"find out who disabled it; `aws kms enable-key --key-id {arn}`, or `revoke` it",
        )
    return _unavailable(arn, why)


def _disabled(arn: str, why: str) -> StoreError:
    return unusable(arn, "disabled", why)


def _missing(arn: str, why: str) -> StoreError:
    return NoSuchKey(
        f"there is no KMS key {arn}",
        why=why,
        fix="what is deleted there is lost: `revoke` the key, and let new ones be made",
    )


def _wrong(arn: str, why: str) -> StoreError:
    return WrongKey(
        f"the KMS key {arn} does not sign what is asked of it",
        why=why,
        fix="see its usage and spec with `aws kms describe-key`; `revoke` it if it is not ours",
    )


def _malformed(arn: str, why: str) -> StoreError:
    return BadReference(
        f"KMS takes {arn} for no key", why=why, fix="see whether another program wrote the document"
    )


def _unavailable(arn: str, why: str) -> StoreError:
    return ServiceFailed(
        f"KMS does not carry out what was asked of {arn or 'it'}",
        why=why,
        fix="try again; if it stays so, see the key's state with `aws kms describe-key`",
    )


def _not_made(_arn: str, why: str) -> StoreError:
    return KeyNotMade(
        "KMS makes no such key",
        why=why,
        fix="see the quota of KMS keys, whether the region has the key spec, and the file of kms_policy",
    )


_REFUSALS: Final[Mapping[str, Callable[[str, str], StoreError]]] = {
    "DependencyTimeoutException": _unavailable,
    "DisabledException": _disabled,
    "KMSInternalException": _unavailable,
    "NotFoundException": _missing,
    "InvalidKeyUsageException": _wrong,
    "InvalidArnException": _malformed,
    "KeyUnavailableException": _unavailable,
}
