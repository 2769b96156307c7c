"""What a role may do with the keys of versions, which `private_halves=separate` makes."""

from __future__ import annotations

from keyvault_jwt.store import DocumentKind

from ..versions import CURRENT
from .secret_arns import SecretARNs
from .secret_rights import kinds_read
from .statement import Statement, joined

_ASKED = "secretsmanager:SecretId"


def key_rights(role: str, secrets: SecretARNs) -> list[Statement]:
    """Return the right to keys of those documents that the role reads, and the rotator's to make them go."""
    keys = secrets.keys(*kinds_read(role, secrets.ring))
    if not secrets.address.separate or not keys:
        return []
    reads = Statement(
        "ReadKeysOfVersions",
        ("secretsmanager:GetSecretValue",),
        keys,
        joined(
            {"ForAnyValue:StringEquals": {"secretsmanager:VersionStage": CURRENT}},
            secrets.keys_no_deeper(_ASKED),
        ),
    )
    return [reads, *(_makes_and_deletes(secrets, keys) if role == "rotator" else ())]


def _makes_and_deletes(secrets: SecretARNs, keys: tuple[str, ...]) -> list[Statement]:
    named = "secretsmanager:Name"
    rights = [
        Statement(
            "LookForKeysToDelete",
            ("secretsmanager:ListSecretVersionIds",),
            secrets.written(DocumentKind.SIGNING, DocumentKind.VERIFICATION),
            secrets.no_deeper(_ASKED, DocumentKind.SIGNING),
        ),
        Statement(
            "MakeKeysOfVersions",
            ("secretsmanager:CreateSecret",),
            keys,
            secrets.keys_no_deeper(named),
        ),
        Statement(
            "DeleteKeysOfVersions",
            ("secretsmanager:DeleteSecret",),
            keys,
            joined(
                # One that could be restored would not be gone.
                {"Bool": {"secretsmanager:ForceDeleteWithoutRecovery": "true"}},
                secrets.keys_no_deeper(_ASKED),
            ),
        ),
    ]
    tags = secrets.address.tags
    if tags:
        these = {f"aws:RequestTag/{name}": value for name, value in tags.items()}
        rights.append(
            Statement(
                "TagKeysOfVersions",
                ("secretsmanager:TagResource",),
                keys,
                joined(
                    {"StringEquals": these, "ForAllValues:StringEquals": {"aws:TagKeys": list(tags)}},
                    secrets.keys_no_deeper(_ASKED),
                ),
            )
        )
    return rights
