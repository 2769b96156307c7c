"""The role of deploy/aws/rotation.yaml suffices for all that its function asks for; another ring's not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from keyvault_jwt_aws import parse_url
from keyvault_jwt_aws.errors import Denied
from tests.aws.machine import RING
from tests.aws.policies.account import NUMBER, Account
from tests.aws.policies.iam_policy import Policy
from tests.aws.rotation.rotating import STEPS, Rotating
from tests.aws.rotation.test_template import TEMPLATE

KEY = "AKIAIOSFODNN7EXAMPLE"


def role(keyring: str) -> Policy:
    """Return what the template's role may do in Secrets Manager, its parameters filled in."""
    values = {
        "AWS::Partition": "aws",
        "AWS::Region": "us-east-1",
        "AWS::AccountId": NUMBER,
        "Keyring": keyring,
    }

    def filled(part: Any) -> str:
        text = str(part["Fn::Sub"])
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", value)
        return text

    read = cfn_yaml.load(str(TEMPLATE))["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]
    statements = []
    for one in read["Statement"]:
        action = one.get("Action")
        actions = [action] if isinstance(action, str) else list(action or ())
        if actions and all(it.startswith("secretsmanager:") for it in actions):
            resource = one["Resource"]
            resources = [filled(it) for it in (resource if isinstance(resource, list) else [resource])]
            statements.append({**one, "Action": actions, "Resource": resources})
    return Policy.of(json.dumps({"Version": read["Version"], "Statement": statements}))


@pytest.fixture
def account(rotating: Rotating, tmp_path: Path) -> Account:
    """The account in which the function's credentials have that role alone, and its keyring is there."""
    made = Account(rotating.strict, tmp_path / "credentials", bare=False)
    prefix = parse_url(rotating.url).prefix
    rotating.strict.grants.limit(KEY, made.rule(role(f"{prefix}/{RING}")))
    return made


def test_the_role_suffices(rotating: Rotating, account: Account) -> None:
    """A rotation, its repetition, its schedule and a release of what was overtaken need no other right."""
    before = rotating.active
    assert rotating.rotate("0" * 32)
    assert rotating.invoke("finishSecret", "0" * 32) == "done before"
    assert rotating.invoke("reconcile", "") == "reconciled"
    assert not rotating.rotate("1" * 32)
    assert rotating.failures
    assert not any(isinstance(failure, Denied) for failure in rotating.failures)
    assert rotating.secret.holder("AWSPENDING") is None
    assert rotating.active != before
    used = {sid for sid, _, _ in account.used}
    assert used == {
        "ReadCurrentVersions",
        "ReadTheCandidate",
        "SeeTheRotation",
        "PutVersions",
        "MoveLabels",
        "MoveTheAuthoritysLabels",
    }


def test_the_role_of_another_keyring(rotating: Rotating, tmp_path: Path) -> None:
    """With the role of another keyring's function every step is denied."""
    account = Account(rotating.strict, tmp_path / "credentials", bare=False)
    rotating.strict.grants.limit(KEY, account.rule(role(f"{parse_url(rotating.url).prefix}/other")))
    for step in STEPS:
        with pytest.raises(Denied):
            rotating.invoke(step, "0" * 32)
    rotating.strict.grants.limit(KEY, lambda operation, name, asked: True)
