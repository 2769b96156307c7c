"""The evaluator says what AWS documents of examples, and refuses to guess."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.aws.policies.iam_condition import Context, is_met
from tests.aws.policies.iam_policy import Authorization, Policy
from tests.aws.policies.iam_wildcard import NotUnderstood, fits, fits_arn

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:jwt/payments/signing-a1B2c3"
READ = "secretsmanager:GetSecretValue"


def statement(**changes: Any) -> dict[str, Any]:
    """Return a statement that allows everything to be read."""
    return {"Sid": "A", "Effect": "Allow", "Action": [READ], "Resource": ["*"]} | changes


def policy(*statements: dict[str, Any]) -> Policy:
    """Return the policy of these statements."""
    return Policy.of(json.dumps({"Version": "2012-10-17", "Statement": statements}))


def allows(made: Policy, **context: str | tuple[str, ...]) -> bool:
    """Return whether the policy lets `ARN` be read."""
    told = {f"secretsmanager:{key}": value for key, value in context.items()}
    return bool(made.allowing(Authorization(READ, ARN, told)))


@pytest.mark.parametrize(
    ("pattern", "covers"),
    [
        ("*", True),
        ("arn:aws:secretsmanager:eu-west-1:*:secret:jwt/payments/signing-??????", True),
        ("arn:aws:secretsmanager:eu-west-1:*:secret:jwt/*/signing-??????", True),
        ("arn:aws:secretsmanager:eu-west-1:*:secret:*", True),
        ("arn:aws:secretsmanager:eu-west-1:*:secret:jwt/payments/signing", False),
        ("arn:aws:secretsmanager:eu-west-1:*:secret:jwt/payments/signing-?????", False),
        ("arn:aws:secretsmanager:eu-west-1:*:secret:JWT/payments/signing-??????", False),
        ("arn:aws-cn:secretsmanager:eu-west-1:*:secret:*", False),
        ("arn:aws:secretsmanager:*:secret:jwt/payments:x", False),
        ("arn:aws:*:x:y:z", False),
    ],
)
def test_wildcards(pattern: str, *, covers: bool) -> None:
    """`*` and `?` reach over slashes, and over no colon between an ARN's parts."""
    assert fits_arn(pattern, ARN) is covers


def test_a_wildcard_is_any_character() -> None:
    """`?` is one, also a slash, a dash or a dot; nothing else in a pattern is special."""
    assert fits("a?c", "a/c")
    assert fits("a.c", "a.c")
    assert not fits("a.c", "abc")
    assert not fits("a?c", "ac")
    assert not fits("a", "ab")


def test_a_denial_wins_and_nothing_is_a_denial() -> None:
    """Explicit denial, then allowance, then the implicit denial; the order of statements is none."""
    allow, deny = statement(), statement(Sid="B", Effect="Deny")
    assert allows(policy(allow))
    assert not allows(policy(allow, deny))
    assert not allows(policy(deny, allow))
    assert not allows(policy())
    assert not allows(policy(statement(Action=["secretsmanager:PutSecretValue"])))


STAGES: Context = {"stage": ("AWSCURRENT", "AWSPENDING"), "name": "jwt/a/b", "days": "7"}


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "met"),
    [
        ("StringEquals", "name", ["x", "jwt/a/b"], True),
        ("StringEquals", "name", ["x"], False),
        ("StringEquals", "none", ["x"], False),
        ("StringEqualsIfExists", "none", ["x"], True),
        ("StringEqualsIfExists", "name", ["x"], False),
        ("StringLike", "name", ["jwt/*"], True),
        ("StringLike", "none", ["*"], False),
        ("StringNotLike", "name", ["x", "jwt/*/*"], False),
        ("StringNotLike", "name", ["x", "jwt/*/*/*"], True),
        ("StringNotLike", "none", ["*"], True),
        ("StringNotEquals", "name", ["x", "y"], True),
        ("ForAnyValue:StringEquals", "stage", ["AWSCURRENT"], True),
        ("ForAnyValue:StringEquals", "stage", ["AWSPREVIOUS"], False),
        ("ForAnyValue:StringEquals", "none", ["AWSCURRENT"], False),
        ("ForAllValues:StringEquals", "stage", ["AWSCURRENT"], False),
        ("ForAllValues:StringEquals", "stage", ["AWSCURRENT", "AWSPENDING"], True),
        ("ForAllValues:StringEquals", "none", ["x"], True),
        ("NumericGreaterThanEquals", "days", ["7"], True),
        ("NumericGreaterThanEquals", "days", ["10"], False),
        ("Null", "none", ["true"], True),
        ("Null", "name", ["true"], False),
        ("Null", "name", ["false"], True),
        ("StringEquals", "NAME", ["jwt/a/b"], True),
    ],
)
def test_conditions(operator: str, key: str, wanted: list[str], *, met: bool) -> None:
    """One value of several is enough, a missing key fails all but the negated, and key names have no case."""
    assert is_met(operator, key, wanted, STAGES) is met


def test_all_conditions_must_be_met() -> None:
    """Operators and keys of one statement are joined by `and`."""
    both = statement(
        Condition={
            "ForAnyValue:StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"},
            "StringNotLike": {"secretsmanager:SecretId": "*/x/*"},
        }
    )
    assert allows(policy(both), VersionStage=("AWSCURRENT",), SecretId="a/y/z")
    assert not allows(policy(both), VersionStage=("AWSCURRENT",), SecretId="a/x/z")
    assert not allows(policy(both), SecretId="a/y/z")


@pytest.mark.parametrize(
    "changes",
    [
        {"NotAction": [READ]},
        {"Principal": "*"},
        {"Effect": "allow"},
        {"Sid": "a b"},
        {"Action": ["secretsmanager:GetSecret"]},
        {"Action": ["secretsmanager:*"]},
        {"Action": ["secretsmanager:ListSecrets"], "Resource": [ARN]},
        {"Condition": {"StringSame": {"secretsmanager:SecretId": "x"}}},
        {"Condition": {"StringEquals": {"secretsmanager:Name": "x"}}},
        {"Condition": {"StringEquals": {"aws:SourceIp": "x"}}},
    ],
)
def test_what_is_not_known_is_an_error(changes: dict[str, Any]) -> None:
    """An element, effect, action, operator or key that the evaluator does not know, or one out of place."""
    with pytest.raises(NotUnderstood):
        policy(statement(**changes))


def test_what_would_have_to_be_guessed_is_an_error() -> None:
    """Policy variables, two statements of a name, and operators for one value on keys of several."""
    with pytest.raises(NotUnderstood):
        fits("${aws:username}", "x")
    with pytest.raises(NotUnderstood):
        policy(statement(), statement())
    with pytest.raises(NotUnderstood):
        is_met("StringEquals", "stage", ["AWSCURRENT"], STAGES)
    with pytest.raises(NotUnderstood):
        is_met("ForAnyValue:StringEquals", "name", ["x"], STAGES)
    with pytest.raises(NotUnderstood):
        Authorization(READ, ARN, {"secretsmanager:Name": "x"})
