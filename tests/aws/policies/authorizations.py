"""What a request to Secrets Manager needs to be authorized for, as its documentation says.

API reference ("Required permissions" of each operation) and user guide, "Secret encryption and decryption".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.aws.policies.iam_keys import NO_RESOURCE
from tests.aws.policies.iam_policy import Authorization

_NEW_VERSION = {"CreateSecret", "PutSecretValue"}


@dataclass(frozen=True)
class EncryptionKey:
    """A KMS key, by the names it has."""

    arn: str
    aliases: tuple[str, ...] = field(default=())

    def is_called(self, name: str) -> bool:
        """Return whether that is its id, its ARN, or an alias."""
        return name in {self.arn, self.arn.rpartition("/")[2], *self.aliases}


@dataclass(frozen=True)
class AskedOf:
    """The secret a request is about: its ARN, and the KMS key it is encrypted under, if not AWS's own."""

    arn: str
    region: str
    key: EncryptionKey | None = None
    exists: bool = True


def authorizations(operation: str, asked: dict[str, Any], of: AskedOf) -> Iterator[Authorization]:
    """Yield all that must be allowed for the request."""
    action = f"secretsmanager:{operation}"
    if action in NO_RESOURCE:
        yield Authorization(action, "*", {})
        return
    yield Authorization(action, of.arn, _context(operation, asked))
    if operation == "CreateSecret" and asked.get("Tags"):
        yield Authorization("secretsmanager:TagResource", of.arn, _tags(asked))
    if operation == "CreateSecret" and asked.get("AddReplicaRegions"):
        yield Authorization("secretsmanager:ReplicateSecretToRegions", of.arn, _replicas(asked))
    if of.key is None or not (of.exists or operation == "CreateSecret"):
        return
    through = {
        "kms:ViaService": f"secretsmanager.{of.region}.amazonaws.com",
        "kms:EncryptionContext:SecretARN": of.arn,
        "kms:ResourceAliases": of.key.aliases,
    }
    if operation in _NEW_VERSION:
        yield Authorization("kms:GenerateDataKey", of.key.arn, through)
    if operation in {"CreateSecret", "GetSecretValue"}:
        yield Authorization("kms:Decrypt", of.key.arn, through)


def _context(operation: str, asked: dict[str, Any]) -> dict[str, str | tuple[str, ...]]:
    told: dict[str, str | tuple[str, ...]] = {}
    if operation == "CreateSecret":
        told = {"secretsmanager:Name": asked["Name"], **_tags(asked), **_replicas(asked)}
    else:
        told = {"secretsmanager:SecretId": asked["SecretId"]}
    if operation == "TagResource":
        told |= _tags(asked)
    if operation == "DeleteSecret" and "ForceDeleteWithoutRecovery" in asked:
        told["secretsmanager:ForceDeleteWithoutRecovery"] = str(asked["ForceDeleteWithoutRecovery"]).lower()
    if operation == "ReplicateSecretToRegions":
        told |= _replicas(asked)
    if "VersionStage" in asked and operation in {"GetSecretValue", "UpdateSecretVersionStage"}:
        told["secretsmanager:VersionStage"] = (asked["VersionStage"],)
    if "VersionId" in asked and operation == "GetSecretValue":
        told["secretsmanager:VersionId"] = asked["VersionId"]
    return told


def _tags(asked: dict[str, Any]) -> dict[str, str | tuple[str, ...]]:
    tags = {tag["Key"]: tag["Value"] for tag in asked.get("Tags", ())}
    if not tags:
        return {}
    return {f"aws:RequestTag/{name}": value for name, value in tags.items()} | {"aws:TagKeys": tuple(tags)}


def _replicas(asked: dict[str, Any]) -> dict[str, str | tuple[str, ...]]:
    regions = tuple(one["Region"] for one in asked.get("AddReplicaRegions", ()))
    return {"secretsmanager:AddReplicaRegions": regions} if regions else {}
