"""An account whose identities may do what their policies say, since moto asks nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.aws.grants import Rule
from tests.aws.policies.authorizations import AskedOf, EncryptionKey, authorizations
from tests.aws.policies.iam_keys import NO_RESOURCE
from tests.aws.policies.iam_policy import Policy
from tests.aws.strict_secretsmanager import StrictSecretsManager

NUMBER = "123456789012"
KEY = EncryptionKey(
    f"arn:aws:kms:us-east-1:{NUMBER}:key/1b9f7a3e-6c0d-4f6a-9d53-0a4f5b8f5a11", ("alias/keyrings",)
)


class Account:
    """Identities as profiles of a credentials file, and the rules of the layer for their access keys.

    By what ARN AWS judges a request for a secret that is not there is not documented: `bare` says
    that it is the bare name's, else it ends as if the secret were made.  `used` are the rights that
    anything was allowed by.
    """

    def __init__(self, layer: StrictSecretsManager, credentials: Path, *, bare: bool) -> None:
        self.layer, self.bare = layer, bare
        self.used: set[tuple[str, str, str]] = set()
        self._credentials = credentials
        self._known: dict[tuple[str, str], AskedOf] = {}

    def identity(self, policy: Policy) -> tuple[str, str]:
        """Make an identity with that policy alone; return its profile's name and its access key's id."""
        profile, key = f"role-{uuid4().hex}", f"AKIA{uuid4().hex[:16].upper()}"
        with self._credentials.open("a") as file:
            file.write(f"[{profile}]\naws_access_key_id={key}\naws_secret_access_key={uuid4().hex}\n")
        self.layer.grants.limit(key, self.rule(policy))
        return profile, key

    def rule(self, policy: Policy) -> Rule:
        """Return the rule for an access key of an identity with that policy."""

        def allows(operation: str, name: str, asked: dict[str, Any]) -> bool:
            of = self._asked_of(self.layer.regions_asked[-1], operation, name, asked)
            for needed in authorizations(operation, asked, of):
                by = policy.allowing(needed)
                if not by:
                    return False
                self.used |= by
            return True

        return allows

    def _asked_of(self, region: str, operation: str, name: str, asked: dict[str, Any]) -> AskedOf:
        if f"secretsmanager:{operation}" in NO_RESOURCE:
            return AskedOf("*", region)
        start = f"arn:aws:secretsmanager:{region}:{NUMBER}:secret:{name}"
        if operation == "CreateSecret":
            return AskedOf(f"{start}-N3wOne", region, self._key(asked.get("KmsKeyId")))
        known = self._known.get((region, name))
        if known is not None:
            return known
        status, told = self.layer.ask("DescribeSecret", {"SecretId": name}, self.layer.unsigned(region))
        if status >= 300:
            return AskedOf(start if self.bare else f"{start}-N0tYet", region, exists=False)
        found = AskedOf(told["ARN"], region, self._key(told.get("KmsKeyId")))
        return self._known.setdefault((region, name), found)

    def arn_of(self, region: str, name: str) -> str:
        """Return a secret's ARN."""
        return self._asked_of(region, "DescribeSecret", name, {}).arn

    def _key(self, name: str | None) -> EncryptionKey | None:
        if not name:
            return None
        assert KEY.is_called(name), f"no key is called {name}"
        return KEY
