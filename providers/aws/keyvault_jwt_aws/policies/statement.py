"""A statement of an IAM policy, and the policy document that statements make.

Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Conditions = Mapping[str, Mapping[str, str | list[str]]]
"""Operator, then condition key, then a value or several of which one must fit."""


@dataclass(frozen=True, slots=True)
class Statement:
    """These actions are allowed on these resources, if every condition is met."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Conditions = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """Return the statement as a policy document has it."""
        told: dict[str, object] = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }
        if self.conditions:
            told["Condition"] = {operator: dict(keys) for operator, keys in self.conditions.items()}
        return told


def policy_document(statements: Iterable[Statement]) -> str:
    """Return the policy in JSON."""
    document = {"Version": "2012-10-17", "Statement": [one.document() for one in statements]}
    return json.dumps(document, indent=2)


def joined(*conditions: Conditions) -> Conditions:
    """Return conditions that are met where all of these are; no key may be under one operator twice."""
    together: dict[str, dict[str, str | list[str]]] = {}
    for condition in conditions:
        for operator, keys in condition.items():
            place = together.setdefault(operator, {})
            if not place.keys().isdisjoint(keys):
                raise ValueError(f"{operator} twice of {', '.join(place.keys() & keys.keys())}")
            place.update(keys)
    return together
