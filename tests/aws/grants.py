"""Grants: what each access key may do, since moto asks nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from tests.aws.documented_secret import Refused

Rule: TypeAlias = Callable[[str, str, dict[str, Any]], bool]
"""Whether an operation on a secret of that name is allowed with those parameters."""


class Grants:
    """Rules by access key id; a key without one may do everything."""

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}

    def limit(self, key: str, rule: Rule) -> None:
        """Let the key do only what the rule allows."""
        self._rules[key] = rule

    def allows(self, key: str, operation: str, name: str, asked: dict[str, Any]) -> bool:
        """Return whether the key may do it."""
        rule = self._rules.get(key)
        return rule is None or rule(operation, name, asked)

    def require(self, key: str, operation: str, name: str, asked: dict[str, Any]) -> None:
        """Raise the documented refusal unless the key may do it."""
        if not self.allows(key, operation, name, asked):
            raise Refused(
                "AccessDeniedException",
                f"User: {key} is not authorized to perform: secretsmanager:{operation} on resource: {name}",
            )
