"""Which actions there are, whether they name a resource, and which condition keys a request for each has.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

_SECRET = frozenset({"secretsmanager:SecretId"})
_KEY = frozenset({"kms:ViaService", "kms:ResourceAliases", "kms:KeyUsage", "aws:ResourceTag/"})
_TAGGED = frozenset({"aws:RequestTag/", "aws:TagKeys"})
_THROUGH = _KEY | {"kms:EncryptionContext:"}

KEYS: Final = MappingProxyType(
    {
        "secretsmanager:BatchGetSecretValue": frozenset[str](),
        "secretsmanager:CancelRotateSecret": _SECRET,
        "secretsmanager:CreateSecret": frozenset(
            {
                "secretsmanager:Name",
                "secretsmanager:KmsKeyId",
                "secretsmanager:AddReplicaRegions",
                "aws:RequestTag/",
                "aws:TagKeys",
            }
        ),
        "secretsmanager:DeleteResourcePolicy": _SECRET,
        "secretsmanager:DeleteSecret": _SECRET
        | {"secretsmanager:ForceDeleteWithoutRecovery", "secretsmanager:RecoveryWindowInDays"},
        "secretsmanager:DescribeSecret": _SECRET,
        "secretsmanager:GetRandomPassword": frozenset[str](),
        "secretsmanager:GetResourcePolicy": _SECRET,
        "secretsmanager:GetSecretValue": _SECRET
        | {"secretsmanager:VersionStage", "secretsmanager:VersionId"},
        "secretsmanager:ListSecretVersionIds": _SECRET,
        "secretsmanager:ListSecrets": frozenset[str](),
        "secretsmanager:PutResourcePolicy": _SECRET,
        "secretsmanager:PutSecretValue": _SECRET,
        "secretsmanager:RemoveRegionsFromReplication": _SECRET,
        "secretsmanager:ReplicateSecretToRegions": _SECRET | {"secretsmanager:AddReplicaRegions"},
        "secretsmanager:RestoreSecret": _SECRET,
        "secretsmanager:RotateSecret": _SECRET,
        "secretsmanager:StopReplicationToReplica": _SECRET,
        "secretsmanager:TagResource": _SECRET | {"aws:RequestTag/", "aws:TagKeys"},
        "secretsmanager:UntagResource": _SECRET | {"aws:TagKeys"},
        "secretsmanager:UpdateSecret": _SECRET | {"secretsmanager:KmsKeyId"},
        "secretsmanager:UpdateSecretVersionStage": _SECRET | {"secretsmanager:VersionStage"},
        "kms:CancelKeyDeletion": _KEY,
        "kms:CreateAlias": _KEY,
        "kms:CreateGrant": _KEY,
        "kms:CreateKey": _TAGGED | {"kms:KeyUsage", "kms:KeySpec"},
        "kms:Decrypt": _THROUGH,
        "kms:DescribeKey": _KEY,
        "kms:DisableKey": _KEY,
        "kms:EnableKey": _KEY,
        "kms:GenerateDataKey": _THROUGH,
        "kms:GetKeyPolicy": _KEY,
        "kms:GetPublicKey": _KEY,
        "kms:ListKeys": frozenset[str](),
        "kms:ListResourceTags": _KEY,
        "kms:PutKeyPolicy": _KEY,
        "kms:ScheduleKeyDeletion": _KEY | {"kms:ScheduleKeyDeletionPendingWindowInDays"},
        "kms:Sign": _KEY,
        "kms:TagResource": _KEY | _TAGGED,
        "kms:UntagResource": _KEY | {"aws:TagKeys"},
        "kms:UpdateKeyDescription": _KEY,
        "tag:GetResources": frozenset[str](),
    }
)
"""Keys by action; one that ends with a slash or colon is a family, such as one key for each tag."""

NO_RESOURCE: Final = frozenset(
    {
        "secretsmanager:BatchGetSecretValue",
        "secretsmanager:GetRandomPassword",
        "secretsmanager:ListSecrets",
        "kms:CreateKey",
        "kms:ListKeys",
        "tag:GetResources",
    }
)
"""Actions that only a statement on `*` allows."""


def has_key(action: str, key: str) -> bool:
    """Return whether a request for the action may have the condition key."""
    return any(
        key.startswith(known) if known.endswith(("/", ":")) else key == known for known in KEYS[action]
    )
