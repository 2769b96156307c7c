"""What rotators and signers may do with keys in KMS that sign, which a tag tells from all others.

https://docs.aws.amazon.com/kms/latest/developerguide/tag-authorization.html
"""

from __future__ import annotations

from typing import Final

from ..kms.keyring_tag import ALGORITHM, KEYRING, keyring_tag
from ..signing_keys import SigningKeys
from .secret_arns import ACCOUNT, EVERY_RING, SecretARNs, partition_of
from .statement import Conditions, Statement, joined

_OF_THE_KEY: Final = f"aws:ResourceTag/{KEYRING}"
_ASKED_FOR: Final = f"aws:RequestTag/{KEYRING}"


def signing_rights(role: str, secrets: SecretARNs) -> list[Statement]:
    """Return what the role may do with the keyrings' keys; nothing unless the store URL says `kms=sign`.

    A signer may have every key of its keyring sign, for KMS does not know which one is active.
    """
    keys = secrets.address.signing_keys
    if keys is None:
        return []
    if role == "rotator":
        return _rotator(secrets, keys)
    if role == "signer":
        actions = ("kms:Sign", "kms:GetPublicKey", "kms:ListResourceTags")
        return [Statement("SignByKeysOfKeyring", actions, _keys(secrets), _ours(_OF_THE_KEY, secrets))]
    return []


def _rotator(secrets: SecretARNs, keys: SigningKeys) -> list[Statement]:
    window = "kms:ScheduleKeyDeletionPendingWindowInDays"
    return [
        Statement(
            "MakeKeysOfKeyring",
            ("kms:CreateKey",),
            ("*",),
            joined(_ours(_ASKED_FOR, secrets), {"StringEquals": {"kms:KeyUsage": "SIGN_VERIFY"}}),
        ),
        _tags_new_keys(secrets),
        Statement(
            "SeeKeysOfKeyring",
            ("kms:DescribeKey", "kms:GetPublicKey"),
            _keys(secrets),
            _ours(_OF_THE_KEY, secrets),
        ),
        Statement(
            "LetKeysOfKeyringGo",
            ("kms:ScheduleKeyDeletion",),
            _keys(secrets),
            joined(_ours(_OF_THE_KEY, secrets), {"NumericGreaterThanEquals": {window: str(keys.window)}}),
        ),
        Statement("FindKeysOfKeyring", ("tag:GetResources",), ("*",)),
    ]


def _tags_new_keys(secrets: SecretARNs) -> Statement:
    """Return the right to tag, which KMS asks for when a key is made with tags, and does not confine to that.

    So it is kept off keys of other keyrings, and off all that encrypt: what has our tag may be deleted.
    """
    conditions = joined(
        _ours(_ASKED_FOR, secrets),
        _ours(_OF_THE_KEY, secrets, if_exists=True),
        {"StringEqualsIfExists": {"kms:KeyUsage": "SIGN_VERIFY"}},
        {"ForAllValues:StringEquals": {"aws:TagKeys": [KEYRING, ALGORITHM, *secrets.address.tags]}},
    )
    return Statement("TagKeysOfKeyring", ("kms:TagResource",), _keys(secrets), conditions)


def _keys(secrets: SecretARNs) -> tuple[str, ...]:
    region = secrets.address.region
    return (f"arn:{partition_of(region)}:kms:{region}:{ACCOUNT}:key/*",)


def _tag(secrets: SecretARNs) -> str:
    return keyring_tag(secrets.address, secrets.ring)


def _ours(key: str, secrets: SecretARNs, *, if_exists: bool = False) -> Conditions:
    """Return the condition that a tag tells one of these keyrings, and none of a store below the prefix."""
    suffix = "IfExists" if if_exists else ""
    if secrets.ring != EVERY_RING:
        return {f"StringEquals{suffix}": {key: _tag(secrets)}}
    return {
        f"StringLike{suffix}": {key: _tag(secrets)},
        f"StringNotLike{suffix}": {key: f"{_tag(secrets)}/*"},
    }
