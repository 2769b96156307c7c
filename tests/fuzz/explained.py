"""Why another library may judge otherwise than we do: the rules by which a disagreement is explained.

Where they accept what we refuse, every reason for the refusal must be one that the library is known not
to look at.  Where they refuse what we accept, the library's own words must say so, and the mutant must be
such that the rule is about it.  What no rule explains fails the run.
"""

from __future__ import annotations

from tests.fuzz.leniencies import NOT_LOOKED_AT
from tests.fuzz.rule import Case, Stricter
from tests.fuzz.strictness import STRICTER


def explanation(case: Case) -> tuple[str, ...]:
    """Return the names of the rules that explain the disagreement; none if something is left over."""
    if not case.theirs.accepted:
        return next(((rule.name,) for rule in STRICTER if _applies(rule, case)), ())
    # Two secrets that are one to HMAC are two keys to us: the model can't say which it is.
    reasons = case.reading.reasons | (set() if case.reading.sure else {"ambiguous"})
    rules = [rule for rule in NOT_LOOKED_AT if case.judge in rule.judges and rule.reasons & reasons]
    left = reasons.difference(*(rule.reasons for rule in rules))
    return () if left else tuple(rule.name for rule in rules)


def _applies(rule: Stricter, case: Case) -> bool:
    said = case.theirs.reason
    return case.judge in rule.judges and any(it in said for it in rule.words) and rule.about(case)
