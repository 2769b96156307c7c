"""What a role may do with the KMS key that secrets are encrypted under, through Secrets Manager alone.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
"""

from __future__ import annotations

import re
from typing import Final

from keyvault_jwt.errors import BadStoreURL

from ..address import Address
from .secret_arns import ACCOUNT, SecretARNs, partition_of
from .secret_rights import kinds_read
from .statement import Conditions, Statement, joined

_KEY: Final = re.compile(
    r"(?:(?P<arn>arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}):)?"
    r"(?:(?P<alias>alias/[A-Za-z0-9/_-]{1,250})|(?:key/)?(?P<id>[A-Za-z0-9-]{1,128}))",
    re.ASCII,
)
_OWN_OF_AWS: Final = "alias/aws/secretsmanager"
"""Its key policy serves every identity of the account that comes through Secrets Manager."""


def encryption_rights(role: str, secrets: SecretARNs) -> list[Statement]:
    """Return the right to use the `kms_key` of the store URL for those secrets; raises `BadStoreURL`.

    A key that the URL names by an alias is one that bears it: AWS grants nothing on an alias itself.
    """
    if not secrets.address.kms_key:
        return []
    found = _KEY.fullmatch(secrets.address.kms_key)
    if found is None:
        raise BadStoreURL(
            "the awssm store URL can't be used",
            why="its kms_key is no key id, alias, or ARN of one",
            fix="write it like kms_key=alias/keyrings",
        )
    if found["alias"] == _OWN_OF_AWS:
        return []
    start = (
        found["arn"] or f"arn:{partition_of(secrets.address.region)}:kms:{secrets.address.region}:{ACCOUNT}"
    )
    bears: Conditions = (
        {"ForAnyValue:StringEquals": {"kms:ResourceAliases": found["alias"]}} if found["alias"] else {}
    )
    asked_for: Conditions = {
        "StringEquals": {"kms:ViaService": _services(secrets.address)},
        "StringLike": {"kms:EncryptionContext:SecretARN": list(_encrypted(role, secrets))},
    }
    writes = ("kms:GenerateDataKey",) if role == "rotator" else ()
    return [
        Statement(
            "UseEncryptionKey",
            ("kms:Decrypt", *writes),
            (f"{start}:key/{found['id'] or '*'}",),
            joined(asked_for, bears),
        )
    ]


def _encrypted(role: str, secrets: SecretARNs) -> tuple[str, ...]:
    kinds = kinds_read(role, secrets.ring)
    return secrets.written(*kinds) + (secrets.keys(*kinds) if secrets.address.separate else ())


def _services(address: Address) -> str | list[str]:
    service = f"secretsmanager.{address.region}.amazonaws.com"
    # Endpoints of China end with .cn, and AWS does not say whether the key's value does.
    return [service, f"{service}.cn"] if partition_of(address.region) == "aws-cn" else service
