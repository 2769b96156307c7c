"""An evaluator of IAM policies: what a statement says, and what a policy makes of a request.

An explicit denial wins, then an allowance, and what nothing allows is denied.  It is strict: an
element, action, operator or condition key that it does not know is an error, never a guess.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from tests.aws.policies.iam_condition import OPERATORS, Context, is_met
from tests.aws.policies.iam_keys import KEYS, NO_RESOURCE, has_key
from tests.aws.policies.iam_wildcard import NotUnderstood, fits_arn


@dataclass(frozen=True)
class Authorization:
    """What a request needs: an action, on the resource with that ARN or `*`, with its condition keys."""

    action: str
    resource: str
    context: Context

    def __post_init__(self) -> None:
        strange = [key for key in self.context if not has_key(self.action, key)]
        if strange:
            raise NotUnderstood(f"a request for {self.action} has no {strange}")


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, list[str]]]

    @classmethod
    def of(cls, told: dict[str, Any]) -> Self:
        """Return what a statement of a policy document says."""
        if told.keys() - {"Condition"} != {"Sid", "Effect", "Action", "Resource"}:
            raise NotUnderstood(f"a statement has {sorted(told)}")
        if told["Effect"] not in {"Allow", "Deny"} or not re.fullmatch("[A-Za-z0-9]+", told["Sid"]):
            raise NotUnderstood(f"{told['Effect']} or {told['Sid']}")
        conditions = {
            operator: {key: [value] if isinstance(value, str) else value for key, value in keys.items()}
            for operator, keys in told.get("Condition", {}).items()
        }
        made = cls(told["Sid"], told["Effect"], tuple(told["Action"]), tuple(told["Resource"]), conditions)
        made._require_known()
        return made

    def matching(self, asked: Authorization) -> tuple[str, ...]:
        """Return by which of its resources the statement is about the request; empty if it is not."""
        if asked.action not in self.actions:
            return ()
        met = (
            is_met(operator, key, wanted, asked.context)
            for operator, keys in self.conditions.items()
            for key, wanted in keys.items()
        )
        if not all(met):
            return ()
        if asked.resource == "*":
            return tuple(pattern for pattern in self.resources if pattern == "*")
        return tuple(pattern for pattern in self.resources if fits_arn(pattern, asked.resource))

    def _require_known(self) -> None:
        for action in self.actions:
            if action not in KEYS:
                raise NotUnderstood(f"the action {action}")
            if action in NO_RESOURCE and self.resources != ("*",):
                raise NotUnderstood(f"{action} on a resource of its own")
        for operator, keys in self.conditions.items():
            if operator.rpartition(":")[2].removesuffix("IfExists") not in OPERATORS:
                raise NotUnderstood(f"the operator {operator}")
            for key in keys:
                strange = [action for action in self.actions if not has_key(action, key)]
                if strange:
                    raise NotUnderstood(f"the condition key {key} of {strange}")


@dataclass(frozen=True)
class Policy:
    """A policy document."""

    statements: tuple[Statement, ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the policy of a document in JSON; raises `NotUnderstood` for what is not in the grammar."""
        told = json.loads(text)
        if told.keys() != {"Version", "Statement"} or told["Version"] != "2012-10-17":
            raise NotUnderstood(f"a policy has {sorted(told)}")
        statements = tuple(Statement.of(one) for one in told["Statement"])
        if len({one.sid for one in statements}) != len(statements):
            raise NotUnderstood("a Sid twice")
        return cls(statements)

    def without(self, sid: str) -> Self:
        """Return the policy less one statement."""
        return type(self)(tuple(one for one in self.statements if one.sid != sid))

    def grants(self) -> Iterator[tuple[str, str, str]]:
        """Yield each single right: a statement's name, one action and one resource of its."""
        for one in self.statements:
            for action in one.actions:
                for resource in one.resources:
                    yield one.sid, action, resource

    def allowing(self, asked: Authorization) -> frozenset[tuple[str, str, str]]:
        """Return the rights that allow the request; none if it is denied."""
        if any(one.effect == "Deny" and one.matching(asked) for one in self.statements):
            return frozenset()
        return frozenset(
            (one.sid, asked.action, pattern)
            for one in self.statements
            if one.effect == "Allow"
            for pattern in one.matching(asked)
        )
