"""Secrets Manager as documented: what it refuses, what it changes, and what its answers must show."""

from __future__ import annotations

import base64
import time
from typing import Any

from tests.aws.documented_secret import MOST_BYTES, DocumentedSecret, Refused

Body = dict[str, Any]
_READS = frozenset({"DescribeSecret", "GetSecretValue", "ListSecretVersionIds"})


class Undocumented(AssertionError):
    """moto let something pass, or did something, that the service's documentation does not say."""


class DocumentedService:
    """The secrets of one region by name; `hours` is its clock, which only a test turns.

    `admit` refuses or passes a request; `done` takes note of one that moto carried out and returns
    the answer as the service would give it.
    """

    def __init__(self, quota: int | None = None) -> None:
        self.quota, self.hours = quota, 0.0
        self.secrets: dict[str, DocumentedSecret] = {}
        self.planted: set[str] = set()
        self._arns: dict[str, str] = {}
        self._replicas: set[str] = set()

    def hold_replica(self, name: str, secret: DocumentedSecret) -> None:
        """Keep a secret of another region readable here."""
        self.secrets[name] = secret
        self._replicas.add(name)

    def name_of(self, asked: Body) -> str:
        """Return the name of the secret that a request is about; empty if it is about none."""
        given = str(asked.get("SecretId") or asked.get("Name") or "")
        return self._arns.get(given, given)

    def arn_of(self, name: str) -> str:
        """Return the ARN of a secret."""
        return next(arn for arn, known in self._arns.items() if known == name)

    def plant(self, name: str) -> None:
        """Believe moto in whatever it says of this secret from now on: a test has changed it by hand."""
        self.planted.add(name)

    def admit(self, operation: str, asked: Body) -> Body | None:
        """Raise `Refused`, or return an answer that needs no carrying out; None: let moto carry it out."""
        name = self.name_of(asked)
        if name in self.planted or operation in {"ListSecrets", "TagResource", "UntagResource"}:
            return None
        rule = getattr(self, f"_admit_{operation}", None)
        if rule is None:
            raise Undocumented(f"{operation} is not in this layer: write its documented rules first")
        if (
            operation != "CreateSecret"
            and name not in self.secrets
            and not asked.get("ForceDeleteWithoutRecovery")
        ):
            raise Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        if name in self._replicas and operation not in _READS:
            raise Refused(
                "InvalidParameterException",
                "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
            )
        admitted: Body | None = rule(name, asked)
        return admitted

    def done(self, operation: str, asked: Body, answer: Body) -> Body:
        """Take note of what moto did, and return its answer as documented; raises `Undocumented`."""
        name = self.name_of(asked)
        if name in self.planted:
            return answer
        note = getattr(self, f"_done_{operation}", None)
        return answer if note is None else note(name, asked, answer)

    def require_agreement(self, name: str, told: Body) -> None:
        """Raise `Undocumented` unless moto's DescribeSecret tells the labels that are documented."""
        if name in self.planted or name not in self.secrets:
            return
        theirs = {
            version: sorted(labels)
            for version, labels in told.get("VersionIdsToStages", {}).items()
            if labels
        }
        ours = self.secrets[name].with_values()
        if theirs != ours:
            raise Undocumented(f"{name} has labels {theirs}; documented: {ours}")

    # --- what is refused -----------------------------------------------------------------

    def _admit_CreateSecret(self, name: str, asked: Body) -> Body | None:
        there = self.secrets.get(name)
        value = _value(asked, needed=False)
        if there is not None and there.deleted:
            raise Refused(
                "InvalidRequestException",
                "You can't create this secret because one with this name is already scheduled for deletion.",
            )
        token = asked.get("ClientRequestToken", "")
        if there is not None and token in there.versions and there.versions[token].value == value:
            return {"Name": name, "VersionId": token}
        if there is not None:
            raise Refused(
                "ResourceExistsException", f"The operation failed because the secret {name} already exists."
            )
        if value:
            _require_token(asked)
        return None

    def _admit_PutSecretValue(self, name: str, asked: Body) -> Body | None:
        secret, value = self.secrets[name], _value(asked)
        _require_token(asked)
        token = asked["ClientRequestToken"]
        if secret.put(token, value, asked.get("VersionStages"), self.hours):
            return None
        return {"Name": name, "VersionId": token, "VersionStages": sorted(secret.versions[token].labels)}

    def _admit_UpdateSecretVersionStage(self, name: str, asked: Body) -> Body | None:
        moved = (asked["VersionStage"], asked.get("RemoveFromVersionId"), asked.get("MoveToVersionId"))
        if self.secrets[name].drop_empty(*moved):
            return {"ARN": self.arn_of(name), "Name": name}
        self.secrets[name].move(*moved)
        return None

    def _admit_RotateSecret(self, name: str, asked: Body) -> Body:
        """Note who rotates, and begin; moto, which would invoke a function of its own, is not asked."""
        secret = self.secrets[name]
        _require_token(asked)
        secret.rotator = asked.get("RotationLambdaARN", secret.rotator)
        if not secret.rotator:
            raise Refused(
                "InvalidRequestException", "No Lambda rotation function ARN is associated with this secret."
            )
        secret.begin_rotation(asked["ClientRequestToken"], self.hours)
        secret.rotates = True
        return {"ARN": self.arn_of(name), "Name": name, "VersionId": asked["ClientRequestToken"]}

    def _admit_CancelRotateSecret(self, name: str, asked: Body) -> Body:
        """Turn rotation off; labels stay as they are."""
        self.secrets[name].require_live()
        self.secrets[name].rotates = False
        return {"ARN": self.arn_of(name), "Name": name}

    def _admit_GetSecretValue(self, name: str, asked: Body) -> None:
        self.secrets[name].asked_for(asked.get("VersionId"), asked.get("VersionStage"))

    def _admit_DescribeSecret(self, name: str, asked: Body) -> None:
        """A secret is described even while it is scheduled for deletion."""

    def _admit_ListSecretVersionIds(self, name: str, asked: Body) -> None:
        """Versions are listed without asking for more."""

    def _admit_DeleteSecret(self, name: str, asked: Body) -> None:
        window, forced = asked.get("RecoveryWindowInDays"), asked.get("ForceDeleteWithoutRecovery")
        if (window is not None and not 7 <= window <= 30) or (window is not None and forced):
            raise Refused(
                "InvalidParameterException", "RecoveryWindowInDays is from 7 to 30, or forced deletion."
            )
        if not forced:
            self.secrets[name].require_live()

    def _admit_RestoreSecret(self, name: str, asked: Body) -> None:
        """A secret is restored within its window."""

    # --- what moto did, and what its answer must be --------------------------------------------

    def _done_CreateSecret(self, name: str, asked: Body, answer: Body) -> Body:
        secret = self.secrets[name] = DocumentedSecret(self.quota)
        self._arns[answer["ARN"]] = name
        value = _value(asked, needed=False)
        if value:
            secret.put(asked["ClientRequestToken"], value, None, self.hours)
            _require(answer.get("VersionId"), asked["ClientRequestToken"], "CreateSecret's VersionId")
        return answer

    def _done_GetSecretValue(self, name: str, asked: Body, answer: Body) -> Body:
        secret = self.secrets[name]
        version = secret.asked_for(asked.get("VersionId"), asked.get("VersionStage"))
        _require(answer["VersionId"], version, f"GetSecretValue of {name}")
        _require(_value(answer), secret.versions[version].value, f"the value of {version}")
        return answer | {"VersionStages": sorted(secret.versions[version].labels)}

    def _done_DescribeSecret(self, name: str, asked: Body, answer: Body) -> Body:
        secret = self.secrets[name]
        return answer | {"VersionIdsToStages": secret.labels(), "RotationEnabled": secret.rotates}

    def _done_ListSecretVersionIds(self, name: str, asked: Body, answer: Body) -> Body:
        known = self.secrets[name].versions
        now = time.time()
        told = [
            it
            | {
                "VersionStages": sorted(known[it["VersionId"]].labels),
                "CreatedDate": now - 3600 * (self.hours - known[it["VersionId"]].made),
            }
            for it in answer["Versions"]
            if it["VersionId"] in known
        ]
        if not asked.get("IncludeDeprecated"):
            told = [it for it in told if known[it["VersionId"]].labels]
        return {key: it for key, it in answer.items() if it != ""} | {"Versions": told}

    def _done_DeleteSecret(self, name: str, asked: Body, answer: Body) -> Body:
        if asked.get("ForceDeleteWithoutRecovery"):
            self.secrets.pop(name, None)
        else:
            self.secrets[name].deleted = True
        return answer

    def _done_RestoreSecret(self, name: str, asked: Body, answer: Body) -> Body:
        self.secrets[name].deleted = False
        return answer


def _value(fields: Body, *, needed: bool = True) -> str:
    """Return the value in a request or answer in one spelling, refusing what no version holds."""
    text, binary = fields.get("SecretString"), fields.get("SecretBinary")
    if text is None and binary is None and not needed:
        return ""
    if (text is None) is (binary is None):
        raise Refused("InvalidParameterException", "You must provide either SecretString or SecretBinary.")
    size = len(text.encode()) if text is not None else len(base64.b64decode(binary))
    if not 1 <= size <= MOST_BYTES:
        raise Refused(
            "ValidationException", f"The secret value has {size} bytes; it has from 1 to {MOST_BYTES}."
        )
    return f"text {text}" if text is not None else f"binary {binary}"


def _require_token(asked: Body) -> None:
    if not 32 <= len(asked.get("ClientRequestToken", "")) <= 64:
        raise Refused("InvalidParameterException", "ClientRequestToken must be 32-64 characters long.")


def _require(told: object, documented: object, what: str) -> None:
    if told != documented:
        raise Undocumented(f"{what} is {str(told)[:80]}; documented: {str(documented)[:80]}")
