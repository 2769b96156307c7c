"""With the policy that `access` prints a role can do nothing else, by whatever way it asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias
from uuid import uuid4

import pytest

from keyvault_jwt.cli.access import ROLES
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from tests.aws.machine import RING
from tests.aws.policies.house import SYMMETRIC, House
from tests.aws.policies.iam_keys import KEYS, NO_RESOURCE

LEAVES = ("authority", "signing", "verification", "public", "archive-1")
REWRITTEN = LEAVES[:4]
OF_A_VERSION = str(uuid4())
Asked: TypeAlias = tuple[str, str, str]
"""An operation, the secret it is about as RING/LEAF, and how: the part of its body that a policy sees."""

VARIANTS = {
    "GetSecretValue": {
        "current": {"VersionStage": "AWSCURRENT"},
        "previous": {"VersionStage": "AWSPREVIOUS"},
        "candidate": {"VersionStage": "keyvault-jwt-candidate"},
        "pending": {"VersionStage": "AWSPENDING"},
        "by version": {"VersionId": OF_A_VERSION},
        "by default": {},
    },
    "UpdateSecretVersionStage": {
        stage: {"VersionStage": stage, "MoveToVersionId": OF_A_VERSION}
        for stage in ("AWSCURRENT", "AWSPREVIOUS", "AWSPENDING", "keyvault-jwt-candidate")
    },
    "DeleteSecret": {"": {}, "forced": {"ForceDeleteWithoutRecovery": True}},
    "TagResource": {"": {"Tags": [{"Key": "team", "Value": "payments"}]}},
    "ReplicateSecretToRegions": {"": {"AddReplicaRegions": [{"Region": "eu-west-1"}]}},
    "CreateSecret": {
        "": {},
        "tagged": {"Tags": [{"Key": "team", "Value": "payments"}]},
        "replicated": {"AddReplicaRegions": [{"Region": "eu-west-1"}]},
    },
}


def everything(ring: str) -> Iterator[Asked]:
    """Yield every request about a keyring's secrets, and those about none in particular."""
    for action in KEYS:
        service, _, operation = action.partition(":")
        if service != "secretsmanager":
            continue
        for way in VARIANTS.get(operation, {"": {}}):
            for leaf in ("",) if action in NO_RESOURCE else LEAVES:
                yield operation, f"{ring}/{leaf}" if leaf else "", way


def granted(role: str, ring: str, *, every: bool) -> set[Asked]:
    """Return what a role may do with a keyring, written down apart from the policies."""
    look: set[Asked] = {("ListSecrets", "", "")} if every else set()
    if role == "signer":
        return {reading(ring, "signing")}
    if role == "publisher":
        return {reading(ring, "public")} | look
    if role == "verifier":
        return (
            {reading(ring, "public")} if every else {reading(ring, it) for it in ("public", "verification")}
        )
    described: set[Asked] = {
        (operation, f"{ring}/{leaf}", "")
        for operation in ("DescribeSecret", "ListSecretVersionIds")
        for leaf in LEAVES
    }
    if role == "auditor":
        return {reading(ring, "public"), reading(ring, "archive-1")} | described | look
    moves: set[Asked] = {("UpdateSecretVersionStage", f"{ring}/{leaf}", "AWSCURRENT") for leaf in REWRITTEN}
    forgets: set[Asked] = {
        ("UpdateSecretVersionStage", f"{ring}/{leaf}", "AWSPREVIOUS")
        for leaf in ("authority", "signing", "verification")
    }
    writes: set[Asked] = {("PutSecretValue", f"{ring}/{leaf}", "") for leaf in REWRITTEN}
    makes: set[Asked] = {("CreateSecret", f"{ring}/{leaf}", "") for leaf in LEAVES}
    looks: set[Asked] = {("ListSecretVersionIds", f"{ring}/authority", "")}
    return {reading(ring, leaf) for leaf in LEAVES} | moves | forgets | writes | makes | looks | look


def reading(ring: str, leaf: str) -> Asked:
    """Return the one way in which a document is read."""
    return "GetSecretValue", f"{ring}/{leaf}", "current"


def denied(house: House, key: str, asked: Asked, *, by_arn: bool) -> bool:
    """Return whether the layer denies a request of that access key, which is one that moto would do."""
    operation, secret, way = asked
    name = f"{house.prefix}/{secret}" if secret and not secret.startswith("/") else secret[1:]
    body: dict[str, Any] = {**VARIANTS.get(operation, {}).get(way, {})}
    if operation == "CreateSecret":
        body |= {"Name": name, "SecretString": "x", "ClientRequestToken": str(uuid4())}
    elif secret:
        body["SecretId"] = house.account.arn_of("us-east-1", name) if by_arn else name
    headers = {"Authorization": f"Credential={key}/20260101/us-east-1/secretsmanager/aws4_request"}
    layer = house.account.layer
    if layer.grants.allows(key, operation, layer.region().name_of(body), body):
        return False
    status, answer = layer.answer(operation, body, headers)
    assert status == 400, answer
    assert answer["__type"] == "AccessDeniedException"
    return True


@pytest.fixture
def house(house: House) -> House:
    """A house in which the keyring `payments` has a document of every kind."""
    name = DocumentName(RING, DocumentKind.VERIFICATION)
    house.owner.store.replace(name, Draft(b"{}", 1, uuid4()), expected=None)
    return house


def kept(house: House) -> str:
    """Return what there is of every secret of the house."""
    found = {
        name: held for name, held in house.account.layer.region().secrets.items() if house.prefix in name
    }
    return json.dumps({name: str(held) for name, held in found.items()})


@pytest.mark.parametrize("every", [True, False], ids=["every ring", "one ring"])
@pytest.mark.parametrize("role", ROLES)
def test_everything_else_is_denied(house: House, role: str, *, every: bool) -> None:
    """Each request that is not the role's is refused, whether it tells a secret's name or its ARN."""
    before = kept(house)
    policy = house.policy(role, "*" if every else RING)
    _, key = house.account.identity(policy)
    may = granted(role, RING, every=every) | (granted(role, SYMMETRIC, every=every) if every else set())
    for asked in sorted({*everything(RING), *everything(SYMMETRIC)}):
        for by_arn in (False, True) if asked[1] and asked[0] != "CreateSecret" else (False,):
            assert denied(house, key, asked, by_arn=by_arn) is (asked not in may), (asked, by_arn)
    assert kept(house) == before


NEIGHBOURS = (
    "payments-2/signing",
    "payment/signing",
    "xpayments/signing",
    "archive-payments/signing",
    "payments/signing-2",
    "payments/signing-secret",
    "payments/signing/signing",
    "payments/archive-1/signing",
    "payments/archive-keys/authority",
    "payments/team/signing",
    "team/keys/signing",
    "team/keys/authority",
    "team/archive-1/public",
)
"""Secrets that are no document of the keyring `payments`: other keyrings', other stores' and strangers'."""
OTHERS = {"payments-2/signing", "payment/signing", "xpayments/signing", "archive-payments/signing"}
"""Those that are documents of a keyring of this store."""


@pytest.mark.parametrize("every", [True, False], ids=["every ring", "one ring"])
@pytest.mark.parametrize("role", ROLES)
def test_neighbours_are_out_of_reach(house: House, role: str, *, every: bool) -> None:
    """No wildcard reaches another keyring, a store below this one, or a name that begins or ends alike."""
    layer = house.account.layer
    for name in NEIGHBOURS:
        body = {"Name": f"{house.prefix}/{name}", "SecretString": "x", "ClientRequestToken": str(uuid4())}
        layer.answer("CreateSecret", body, layer.unsigned("us-east-1"))
    _, key = house.account.identity(house.policy(role, "*" if every else RING))
    for name in sorted(set(NEIGHBOURS) - (OTHERS if every else set())):
        for operation in ("GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage", "CreateSecret"):
            for way in VARIANTS.get(operation, {"": {}}):
                for by_arn in (False, True):
                    assert denied(house, key, (operation, name, way), by_arn=by_arn), (operation, name, way)


def test_another_stores_documents_are_out_of_reach(house: House) -> None:
    """A policy of one prefix grants nothing beside it, above it, or in a prefix that begins alike."""
    layer = house.account.layer
    _, key = house.account.identity(house.policy("rotator"))
    for start in ("", f"{house.prefix}2/", f"x{house.prefix}/", f"x/{house.prefix}/"):
        name = f"{start}{RING}-{uuid4().hex}/signing"
        body = {"Name": name, "SecretString": "x", "ClientRequestToken": str(uuid4())}
        layer.answer("CreateSecret", body, layer.unsigned("us-east-1"))
        for operation in ("GetSecretValue", "PutSecretValue", "CreateSecret"):
            for way in VARIANTS.get(operation, {"": {}}):
                assert denied(house, key, (operation, f"/{name}", way), by_arn=False), name
