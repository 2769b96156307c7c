"""What only a store that signs in KMS can say, as branches of the core's tree.

StoreError
├── BadReference          aws_kms_reference          (an alias, another region's or keyring's key)
├── WrongKey              aws_kms_wrong_key          (of another spec, usage or public half)
├── NoSuchKey             aws_kms_missing
├── KeyDisabled           aws_kms_disabled
├── KeyPendingDeletion    aws_kms_pending_deletion
├── KeyNotMade            aws_kms_not_made           (a limit, or a key policy that AWS refuses)
├── NoSuchAlgorithm       aws_kms_algorithm
└── MessageTooLong        aws_kms_message
"""

from __future__ import annotations

from keyvault_jwt.errors import StoreError


class BadReference(StoreError):
    """A document names a key that is not one of its keyring's keys in KMS."""

    code = "aws_kms_reference"


class WrongKey(StoreError):
    """A key that can't sign what its keyring expects of it."""

    code = "aws_kms_wrong_key"


class NoSuchKey(StoreError):
    """KMS has no key of that id."""

    code = "aws_kms_missing"


class KeyDisabled(StoreError):
    """Somebody disabled a key that is still needed."""

    code = "aws_kms_disabled"


class KeyPendingDeletion(StoreError):
    """A key that is still needed is scheduled for deletion, and signs no more."""

    code = "aws_kms_pending_deletion"


class KeyNotMade(StoreError):
    """KMS makes no key as it was asked to."""

    code = "aws_kms_not_made"


class NoSuchAlgorithm(StoreError):
    """An algorithm that KMS does not sign."""

    code = "aws_kms_algorithm"


class MessageTooLong(StoreError):
    """What is to be signed is longer than KMS takes for the algorithm."""

    code = "aws_kms_message"
