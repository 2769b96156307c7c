"""What each role may do with a keyring's secrets.

Actions and condition keys:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from keyvault_jwt.store import DocumentKind

from ..versions import CURRENT, PREVIOUS
from .secret_arns import EVERY_RING, SecretARNs
from .statement import Conditions, Statement, joined

_ASKED: Final = "secretsmanager:SecretId"
_NEVER_REWRITTEN: Final = (DocumentKind.ARCHIVE,)
_REWRITTEN: Final = tuple(kind for kind in DocumentKind if kind not in _NEVER_REWRITTEN)
_FORGETTING: Final = tuple(kind for kind in _REWRITTEN if kind.is_private)
"""Documents of which the version before the current one is let go."""


def secret_rights(role: str, secrets: SecretARNs) -> list[Statement]:
    """Return what the role may do with the secrets; a `KeyError` for what is no role."""
    return ROLES[role](secrets)


def kinds_read(role: str, ring: str) -> tuple[DocumentKind, ...]:
    """Return the documents whose content the role reads."""
    if role == "rotator":
        return tuple(DocumentKind)
    if role == "signer":
        return (DocumentKind.SIGNING,)
    if role == "auditor":
        return (DocumentKind.PUBLIC, DocumentKind.ARCHIVE)
    if role == "verifier" and ring != EVERY_RING:
        return (DocumentKind.PUBLIC, DocumentKind.VERIFICATION)
    return (DocumentKind.PUBLIC,)


def _signer(secrets: SecretARNs) -> list[Statement]:
    return [_reads("signer", secrets)]


def _publisher(secrets: SecretARNs) -> list[Statement]:
    return [_reads("publisher", secrets), *_finds(secrets)]


def _verifier(secrets: SecretARNs) -> list[Statement]:
    return [_reads("verifier", secrets)]


def _auditor(secrets: SecretARNs) -> list[Statement]:
    described = Statement(
        "DescribeDocuments",
        ("secretsmanager:DescribeSecret", "secretsmanager:ListSecretVersionIds"),
        secrets.written(*DocumentKind),
        secrets.no_deeper(_ASKED, *DocumentKind),
    )
    return [_reads("auditor", secrets), described, *_finds(secrets)]


def _rotator(secrets: SecretARNs) -> list[Statement]:
    return [
        _reads("rotator", secrets),
        Statement(
            "MakeDocuments",
            ("secretsmanager:CreateSecret",),
            secrets.written(*DocumentKind),
            secrets.no_deeper("secretsmanager:Name", *DocumentKind),
        ),
        Statement(
            "LookBeforeWriting",
            ("secretsmanager:ListSecretVersionIds",),
            secrets.written(DocumentKind.AUTHORITY),
            secrets.no_deeper(_ASKED, DocumentKind.AUTHORITY),
        ),
        Statement(
            "PutVersions",
            ("secretsmanager:PutSecretValue",),
            secrets.written(*_REWRITTEN),
            secrets.no_deeper(_ASKED, *_REWRITTEN),
        ),
        _moves("MakeVersionsCurrent", CURRENT, _REWRITTEN, secrets),
        _moves("LetPreviousVersionsGo", PREVIOUS, _FORGETTING, secrets),
        *_replicates(secrets),
        *_tags(secrets),
        *_finds(secrets),
    ]


def _reads(role: str, secrets: SecretARNs) -> Statement:
    """Return the right to the current version alone: a request by a version's id has no stage."""
    kinds = kinds_read(role, secrets.ring)
    return Statement(
        "ReadCurrentVersions",
        ("secretsmanager:GetSecretValue",),
        secrets.read(*kinds),
        joined(_of_stage(CURRENT), secrets.no_deeper(_ASKED, *kinds)),
    )


def _moves(sid: str, stage: str, kinds: tuple[DocumentKind, ...], secrets: SecretARNs) -> Statement:
    return Statement(
        sid,
        ("secretsmanager:UpdateSecretVersionStage",),
        secrets.written(*kinds),
        joined(_of_stage(stage), secrets.no_deeper(_ASKED, *kinds)),
    )


def _of_stage(stage: str) -> Conditions:
    # The key is a list of stages: docs.aws.amazon.com, Secrets Manager, "Permissions policy examples".
    return {"ForAnyValue:StringEquals": {"secretsmanager:VersionStage": stage}}


def _replicates(secrets: SecretARNs) -> list[Statement]:
    regions = secrets.address.replicas
    if not regions:
        return []
    only: Conditions = {"ForAllValues:StringEquals": {"secretsmanager:AddReplicaRegions": list(regions)}}
    return [
        Statement(
            "ReplicateDocuments",
            ("secretsmanager:ReplicateSecretToRegions",),
            secrets.written(*DocumentKind),
            joined(only, secrets.no_deeper(_ASKED, *DocumentKind)),
        )
    ]


def _tags(secrets: SecretARNs) -> list[Statement]:
    tags = secrets.address.tags
    if not tags:
        return []
    these: Conditions = {
        "StringEquals": {f"aws:RequestTag/{name}": value for name, value in tags.items()},
        "ForAllValues:StringEquals": {"aws:TagKeys": list(tags)},
    }
    return [
        Statement(
            "TagDocuments",
            ("secretsmanager:TagResource",),
            secrets.written(*DocumentKind),
            joined(these, secrets.no_deeper(_ASKED, *DocumentKind)),
        )
    ]


def _finds(secrets: SecretARNs) -> list[Statement]:
    """Return the right to list, which AWS knows for a whole account only, for who serves every keyring."""
    if secrets.ring != EVERY_RING:
        return []
    return [Statement("FindKeyrings", ("secretsmanager:ListSecrets",), ("*",))]


ROLES: Final[Mapping[str, Callable[[SecretARNs], list[Statement]]]] = MappingProxyType(
    {
        "rotator": _rotator,
        "signer": _signer,
        "publisher": _publisher,
        "verifier": _verifier,
        "auditor": _auditor,
    }
)
