"""The policies as they are printed and shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session  # type: ignore[import-untyped]
import pytest
from cfnlint.api import lint_all
from click.testing import CliRunner

from keyvault_jwt.cli import main
from keyvault_jwt.cli.access import ROLES
from keyvault_jwt.errors import BadStoreURL, UsageError
from keyvault_jwt_aws import access
from keyvault_jwt_aws.policies.secret_arns import partition_of
from tests.aws.policies.house import printed
from tests.aws.policies.iam_policy import Policy
from tests.docs.markdown import ROOT

SHIPPED = "awssm://eu-west-1/jwt"
MANAGED = 6_144
"""Characters of a managed policy, white space aside: IAM and STS quotas."""


def statements(role: str, url: str, ring: str = "*") -> dict[str, dict[str, Any]]:
    """Return the statements of a role's policy by name."""
    return {one["Sid"]: one for one in json.loads(access(role, url, ring)[0])["Statement"]}


@pytest.mark.parametrize("role", ROLES)
def test_deploy_has_what_is_printed(role: str) -> None:
    """The files under deploy/aws are those of `awssm://eu-west-1/jwt`, to the byte."""
    assert (ROOT / "deploy" / "aws" / f"{role}.json").read_text() == printed(role, SHIPPED)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("ring", ["*", "payments"])
@pytest.mark.parametrize(
    "options", ["", "?kms_key=alias/k&tags=team%3Dx&replicas=eu-central-1", "?kms=sign&kms_key=alias/k"]
)
def test_every_policy_is_understood_and_fits(role: str, ring: str, options: str) -> None:
    """Elements, actions and condition keys are ones that AWS documents, and IAM takes the length."""
    policy, _ = access(role, SHIPPED + options, ring)
    assert Policy.of(policy).statements
    assert len("".join(policy.split())) <= MANAGED


@pytest.mark.parametrize("role", ROLES)
def test_every_policy_is_good_cloudformation(role: str) -> None:
    """A linter of other make, with AWS's own list of actions and grammar of policies, finds no fault."""
    document = json.loads(access(role, f"{SHIPPED}?kms=sign&kms_key=alias/k", "*")[0])
    managed = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Policy": managed}}
    # "I" is for what a template might tell besides: this one is only what holds the policy.
    assert [str(match) for match in lint_all(json.dumps(template)) if match.rule.id[0] != "I"] == []


def test_partition_and_region_are_those_of_the_url() -> None:
    """Every region that the SDK knows is in the partition that the SDK says."""
    session = botocore.session.Session()
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("secretsmanager", partition, allow_non_regional=False):
            assert partition_of(region) == partition
    [read] = statements("signer", "awssm://us-gov-west-1", "pay").values()
    assert read["Resource"] == [
        "arn:aws-us-gov:secretsmanager:us-gov-west-1:*:secret:pay/signing",
        "arn:aws-us-gov:secretsmanager:us-gov-west-1:*:secret:pay/signing-??????",
    ]


def test_a_replica_is_read_too_and_never_written() -> None:
    """With `read_from` the right to read holds in both regions, all others in the primary one alone."""
    told = statements("rotator", f"{SHIPPED}?read_from=eu-central-1&staleness=5s")
    read = told.pop("ReadCurrentVersions")
    assert {resource.split(":")[3] for resource in read["Resource"]} == {"eu-west-1", "eu-central-1"}
    assert not any("eu-central-1" in resource for one in told.values() for resource in one["Resource"])


@pytest.mark.parametrize(
    ("key", "resource", "alias"),
    [
        ("alias/k", "arn:aws:kms:eu-west-1:*:key/*", "alias/k"),
        ("1234abcd-12ab", "arn:aws:kms:eu-west-1:*:key/1234abcd-12ab", None),
        (
            "arn:aws:kms:eu-west-1:123456789012:key/mrk-1",
            "arn:aws:kms:eu-west-1:123456789012:key/mrk-1",
            None,
        ),
        ("arn:aws:kms:eu-west-1:123456789012:alias/k", "arn:aws:kms:eu-west-1:123456789012:key/*", "alias/k"),
    ],
)
def test_encryption_key(key: str, resource: str, alias: str | None) -> None:
    """By whatever name the URL tells it, a key is used through Secrets Manager, for these secrets alone."""
    use = statements("signer", f"{SHIPPED}?kms_key={key}", "payments")["UseEncryptionKey"]
    assert (use["Action"], use["Resource"]) == (["kms:Decrypt"], [resource])
    conditions = use["Condition"]
    assert conditions["StringEquals"] == {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}
    assert conditions["StringLike"] == {
        "kms:EncryptionContext:SecretARN": [
            "arn:aws:secretsmanager:eu-west-1:*:secret:jwt/payments/signing-??????"
        ]
    }
    assert conditions.get("ForAnyValue:StringEquals") == (alias and {"kms:ResourceAliases": alias})


def test_what_is_no_key_is_no_pattern_either() -> None:
    """A wildcard or variable in `kms_key` is refused; AWS's own key needs no right."""
    for key in ("*", "alias/*", "key/?", "$%7Baws:username%7D", "alias/a%22b"):
        with pytest.raises(BadStoreURL, match="kms_key"):
            access("signer", f"{SHIPPED}?kms_key={key}", "*")
    assert statements("signer", f"{SHIPPED}?kms_key=alias/aws/secretsmanager").keys() == {
        "ReadCurrentVersions"
    }


def test_notes_tell_how_to_apply_it() -> None:
    """stderr names the command, the environment and what is left out; stdout is the policy alone."""
    done = CliRunner().invoke(main, ["access", "verifier", "--store", f"{SHIPPED}?kms_key=alias/k"])
    assert "aws iam create-policy --policy-name keyvault-jwt-verifier " in done.stderr
    assert "the key policy of kms_key" in done.stderr
    assert "symmetric keyrings are left out" in done.stderr
    assert "verification" not in done.stdout
    assert json.loads(done.stdout)["Version"] == "2012-10-17"


def test_a_keyrings_policy_has_a_name_of_its_own() -> None:
    """Applied as told, the policy of one keyring replaces neither another's nor the one for all."""
    told = {access("signer", SHIPPED, ring)[1][0].partition(" | ")[2] for ring in ("*", "a", "b")}
    assert len(told) == 3


def test_a_policy_that_is_too_long_is_told() -> None:
    """A prefix so long that IAM would refuse the policy is met with a way out."""
    _, notes = access("rotator", f"awssm://eu-west-1/{'p' * 300}", "*")
    assert any("put-role-policy" in note for note in notes)


def test_a_store_without_prefix_is_warned_of() -> None:
    """Every keyring of such a store is any secret of the account that is named like a document."""
    warned = {
        ring: "without a prefix" in " ".join(access("auditor", "awssm://eu-west-1", ring)[1]) for ring in "*a"
    }
    assert warned == {"*": True, "a": False}
    assert "without a prefix" not in " ".join(access("auditor", SHIPPED, "*")[1])


def test_nothing_is_said_for_what_is_no_role_or_no_store() -> None:
    """A role or a URL that is not known is refused."""
    with pytest.raises(UsageError, match="the roles are"):
        access("king", SHIPPED, "*")
    with pytest.raises(BadStoreURL):
        access("signer", 'awssm://eu-west-1/j"wt', "*")


def test_no_policy_is_left_over() -> None:
    """deploy/aws holds a policy for each role, and no other JSON."""
    assert {Path(file).stem for file in (ROOT / "deploy" / "aws").glob("*.json")} == set(ROLES)
