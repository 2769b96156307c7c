"""Asked: which step of which rotation of which keyring a Lambda function was invoked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self
from uuid import NAMESPACE_OID, UUID, uuid5

from keyvault_jwt.store import DocumentKind, DocumentName, Version

from ..address import Address
from ..errors import BadRotation, WrongRegion
from ..secret_name import document_name

_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:secretsmanager:(?P<region>[a-z0-9-]+):[0-9]{12}:secret:(?P<name>.+)-[A-Za-z0-9]{6}",
    re.ASCII,
)
_TOKEN: Final = re.compile(r"[A-Za-z0-9-]{32,64}", re.ASCII)


class Step(StrEnum):
    """The steps, spelled as Secrets Manager sends them; RECONCILE is ours, sent by a schedule."""

    CREATE = "createSecret"
    SET = "setSecret"
    TEST = "testSecret"
    FINISH = "finishSecret"
    RECONCILE = "reconcile"


@dataclass(frozen=True, slots=True)
class Asked:
    """One invocation; `token` names the rotation, and the version that it is to make current."""

    step: Step
    secret: str
    name: DocumentName
    token: Version

    @classmethod
    def of(cls, event: object, address: Address) -> Self:
        """Return what an event asks: docs.aws.amazon.com, Rotation by Lambda function.

        Raises `BadRotation` for what is no step on an authority of this store, and `WrongRegion`.
        """
        fields = event if isinstance(event, Mapping) else {}
        step, secret = _step(fields.get("Step")), fields.get("SecretId")
        token = fields.get("ClientRequestToken")
        if step is not Step.RECONCILE and not (isinstance(token, str) and _TOKEN.fullmatch(token)):
            raise _bad("its ClientRequestToken is not 32 to 64 letters, digits and hyphens")
        if not isinstance(secret, str):
            raise _bad("it has no SecretId")
        return cls(step, secret, _authority(secret, address), Version(str(token)))

    @property
    def write_id(self) -> UUID:
        """The id of the rotation's one write: what was committed on top of it tells that it landed."""
        return uuid5(NAMESPACE_OID, f"keyvault-jwt rotation {self.token}")


def _step(said: Any) -> Step:
    try:
        return Step(said)
    except ValueError:
        raise _bad(
            "its Step is none of createSecret, setSecret, testSecret, finishSecret, reconcile"
        ) from None


def _authority(secret: str, address: Address) -> DocumentName:
    whole = _ARN.fullmatch(secret)
    if whole is not None and whole["region"] != address.region:
        raise WrongRegion(
            f"the secret to rotate is in {whole['region']}",
            why=f"the store of this function is {address}",
            fix="rotate in the region of KEYVAULT_JWT_STORE; a replica follows by itself",
        )
    name = document_name(address.prefix, secret if whole is None else whole["name"])
    if name is None or name.kind is not DocumentKind.AUTHORITY:
        raise BadRotation(
            "the secret to rotate is no keyring's authority",
            why=f"this function rotates {address.prefix or '(no prefix)'}/RING/authority alone",
            fix="turn rotation on for the authority only: the other documents follow from it",
        )
    return name


def _bad(why: str) -> BadRotation:
    return BadRotation(
        "the event asks for no step of a rotation",
        why=why,
        fix="let Secrets Manager, or the schedule of deploy/aws/rotation.yaml, invoke the function",
    )
