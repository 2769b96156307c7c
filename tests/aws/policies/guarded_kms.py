"""The stand-in for KMS, asking the policy of whoever comes."""

from __future__ import annotations

import re
from typing import Any

from tests.aws.kms.standin_kms import StandInKms
from tests.aws.policies.iam_policy import Authorization, Policy

_KEY = re.compile(r"Credential=([^/]+)/")


class GuardedKms(StandInKms):
    """Keys by id, and policies by access key id; `used` are the rights that anything was allowed by."""

    def __init__(self) -> None:
        super().__init__()
        self.policies: dict[str, Policy] = {}
        self.used: set[tuple[str, str, str]] = set()

    def answer(self, operation: str, asked: dict[str, Any], authorization: str) -> tuple[int, dict[str, Any]]:
        """Return status and body for one request: a denial unless all that it needs is allowed."""
        found = _KEY.search(authorization)
        policy = self.policies.get(found[1]) if found else None
        for needed in self._authorizations(operation, asked):
            by = frozenset() if policy is None else policy.allowing(needed)
            if not by:
                message = f"User is not authorized to perform: {needed.action} on resource: {needed.resource}"
                return 400, {"__type": "AccessDeniedException", "message": message}
            self.used |= by
        return super().answer(operation, asked, authorization)

    def _authorizations(self, operation: str, asked: dict[str, Any]) -> list[Authorization]:
        if operation == "GetResources":
            return [Authorization("tag:GetResources", "*", {})]
        if operation == "CreateKey":
            tags = {tag["TagKey"]: tag["TagValue"] for tag in asked["Tags"]}
            told = {f"aws:RequestTag/{name}": value for name, value in tags.items()}
            new = f"arn:aws:kms:us-east-1:{'0' * 12}:key/new"
            return [
                Authorization(
                    "kms:CreateKey",
                    "*",
                    {**told, "aws:TagKeys": tuple(tags), "kms:KeyUsage": asked["KeyUsage"]},
                ),
                Authorization("kms:TagResource", new, {**told, "aws:TagKeys": tuple(tags)}),
            ]
        key = self.keys.get(asked["KeyId"].rpartition("/")[2])
        if key is None:
            return []
        context = of_key(key.tags, key.usage)
        if operation == "ScheduleKeyDeletion":
            context["kms:ScheduleKeyDeletionPendingWindowInDays"] = str(asked["PendingWindowInDays"])
        return [Authorization(f"kms:{operation}", key.arn, context)]


def of_key(tags: dict[str, str], usage: str = "SIGN_VERIFY") -> dict[str, str | tuple[str, ...]]:
    """Return the condition keys of a request about a key with those tags."""
    return {"kms:KeyUsage": usage, **{f"aws:ResourceTag/{name}": value for name, value in tags.items()}}
