"""deploy/aws/rotation.yaml: AWS's own schemas take it, and it asks for what the function really is."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from cfnlint.api import lint_file
from cfnlint.decode import cfn_yaml

from tests.docs.markdown import ROOT

TEMPLATE = ROOT / "deploy" / "aws" / "rotation.yaml"


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    """The template's resources by their names."""
    read: dict[str, Any] = cfn_yaml.load(str(TEMPLATE))
    found: dict[str, Any] = read["Resources"]
    return found


def test_cfn_lint_has_nothing_to_say() -> None:
    """Neither errors nor warnings, and neither informations."""
    assert [str(match) for match in lint_file(TEMPLATE)] == []


def test_cfn_lint_would_say_something(tmp_path: Any) -> None:
    """A property that is none, or a reference to nothing, is found."""
    for text, broken in (("MemorySize:", "MemorySise:"), ("!GetAtt Role.Arn", "!GetAtt Rolle.Arn")):
        planted = tmp_path / "rotation.yaml"
        planted.write_text(TEMPLATE.read_text(encoding="utf-8").replace(text, broken), encoding="utf-8")
        assert lint_file(planted)


def test_the_handler_is_there(resources: dict[str, Any]) -> None:
    """What Lambda is told to call can be imported, and the schedule's event is one it takes."""
    module, _, name = resources["Function"]["Properties"]["Handler"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


def test_who_may_invoke(resources: dict[str, Any]) -> None:
    """Secrets Manager may for this account alone, and the schedule for its own rule."""
    secrets = resources["SecretsManagerMayInvoke"]["Properties"]
    assert secrets["Principal"] == "secretsmanager.amazonaws.com"
    assert secrets["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert "SourceArn" in resources["ReconciliationMayInvoke"]["Properties"]
