"""Wildcards of IAM: `*` is any run of characters and `?` any one, a slash and a colon too.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from functools import cache


class NotUnderstood(AssertionError):
    """A policy or a request says what this evaluator does not know: it never guesses."""


def fits(pattern: str, text: str) -> bool:
    """Return whether the pattern covers the whole text; case counts."""
    return _expression(pattern).fullmatch(text) is not None


def fits_arn(pattern: str, arn: str) -> bool:
    """Return whether the pattern covers the ARN: wildcards stay within each of its six parts."""
    if pattern == "*":
        return True
    parts, theirs = pattern.split(":", 5), arn.split(":", 5)
    if len(parts) != 6 or len(theirs) != 6 or parts[0] != "arn":
        raise NotUnderstood(f"{pattern} or {arn} is no ARN")
    return all(fits(part, other) for part, other in zip(parts, theirs, strict=True))


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    if "$" in pattern:
        raise NotUnderstood(f"{pattern} has a policy variable")
    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.compile("".join(parts), re.DOTALL)
