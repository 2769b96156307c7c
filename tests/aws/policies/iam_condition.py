"""Conditions of IAM: operators, keys of one or several values, and keys that a request does not have.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from tests.aws.policies.iam_wildcard import NotUnderstood, fits

Context: TypeAlias = Mapping[str, str | tuple[str, ...]]
"""What a request's keys are: text for a key of one value, a tuple for one of several."""

_Compare: TypeAlias = Callable[[str, str], bool]
_POSITIVE: Final[Mapping[str, _Compare]] = MappingProxyType(
    {
        "StringEquals": lambda wanted, value: wanted == value,
        "StringLike": fits,
        "NumericGreaterThanEquals": lambda wanted, value: float(value) >= float(wanted),
        "Bool": lambda wanted, value: wanted.lower() == value.lower(),
    }
)
_NEGATED: Final[Mapping[str, _Compare]] = MappingProxyType(
    {
        "StringNotEquals": lambda wanted, value: wanted == value,
        "StringNotLike": fits,
    }
)
OPERATORS: Final = frozenset({*_POSITIVE, *_NEGATED, "Null"})


def is_met(operator: str, key: str, wanted: list[str], context: Context) -> bool:
    """Return whether one condition is met; of several wanted values one is enough, of negated ones none."""
    quantifier, _, whole = operator.rpartition(":")
    name, if_exists = whole.removesuffix("IfExists"), whole.endswith("IfExists")
    value = _of(context, key)
    if name not in OPERATORS or quantifier not in {"", "ForAnyValue", "ForAllValues"}:
        raise NotUnderstood(f"the operator {operator}")
    if name == "Null":
        return (value is None) is (wanted == ["true"])
    if value is not None and isinstance(value, tuple) is (quantifier == ""):
        raise NotUnderstood(f"{operator} of {key}, which has {'several values' if value else 'one value'}")
    values = (value,) if isinstance(value, str) else value
    if not values:  # a negated operator and ForAllValues pass where the key is missing
        return if_exists or quantifier == "ForAllValues" or (quantifier == "" and name in _NEGATED)
    each = (_fits_any(name, wanted, one) for one in values)
    return any(each) if quantifier == "ForAnyValue" else all(each)


def _fits_any(name: str, wanted: list[str], value: str) -> bool:
    if name in _NEGATED:
        return not any(_NEGATED[name](one, value) for one in wanted)
    return any(_POSITIVE[name](one, value) for one in wanted)


def _of(context: Context, key: str) -> str | tuple[str, ...] | None:
    # Names of keys are compared without case, tags' names in them too.
    found: Any = {name.lower(): value for name, value in context.items()}.get(key.lower())
    return found
