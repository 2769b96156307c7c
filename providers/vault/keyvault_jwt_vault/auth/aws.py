"""AWS IAM: a signed request for one's own identity, which the server sends to STS in our place.

Source: https://developer.hashicorp.com/vault/docs/auth/aws (the method `iam`).  It is Vault's:
OpenBao has it as a plugin only.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from keyvault_jwt.errors import BadStoreURL, MissingExtra

from ..granted import Granted
from .door import Door
from .errors import CredentialsMissing
from .parameters import Parameters

_BODY: Final = b"Action=GetCallerIdentity&Version=2011-06-15"
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AWSIAM:
    """Signs at each login, since a signature is good for minutes; nothing is sent to AWS from here."""

    door: Door = field(repr=False)
    mount: str
    role: str
    region: str = ""
    server_id: str = ""

    def login(self) -> Granted:
        """Log in with whatever credentials botocore finds for this process."""
        body = signed_identity(region=self.region, server_id=self.server_id)
        return self.door.log_in(
            self.mount,
            "login",
            body | ({"role": self.role} if self.role else {}),
            check=f"the role {self.role or '(named like the principal)'}, the principal it is bound to, "
            "the region, server_id, and this machine's clock",
        )


def signed_identity(*, region: str = "", server_id: str = "") -> dict[str, str]:
    """Return the login's fields: a POST of sts:GetCallerIdentity, signed with SigV4, in base64.

    Without a region it is the global endpoint, as for Vault's own client.  `server_id` is signed
    in X-Vault-AWS-IAM-Server-ID, so that one server can't replay what was meant for another.
    Raises `MissingExtra` without botocore, and `CredentialsMissing`.
    """
    try:
        from botocore.auth import SigV4Auth  # type: ignore[import-untyped]  # noqa: PLC0415
        from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]  # noqa: PLC0415
    except ModuleNotFoundError:
        raise MissingExtra(
            "auth=aws needs packages that are not installed",
            why="botocore is missing",
            fix="pip install 'keyvault-jwt[vault,aws]'",
        ) from None
    suffix = ".cn" if region.startswith("cn-") else ""
    host = f"sts.{region}.amazonaws.com{suffix}" if region else "sts.amazonaws.com"
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Host": host}
    if server_id:
        headers["X-Vault-AWS-IAM-Server-ID"] = server_id
    url = f"https://{host}/"
    request = AWSRequest(method="POST", url=url, data=_BODY, headers=headers)
    SigV4Auth(_frozen_credentials(), "sts", region or "us-east-1").add_auth(request)
    signed = {name: [value] for name, value in request.headers.items()}
    return {
        "iam_http_request_method": "POST",
        "iam_request_url": _base64(url.encode()),
        "iam_request_body": _base64(_BODY),
        "iam_request_headers": _base64(json.dumps(signed).encode()),
    }


def _frozen_credentials() -> Any:
    from botocore.session import Session  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        found = Session().get_credentials()
        frozen = None if found is None else found.get_frozen_credentials()
    except Exception as failure:  # noqa: BLE001  (botocore's tree; a message may quote a profile's file)
        why = f"botocore failed to get them, {type(failure).__name__}"
    else:
        if frozen is not None:
            return frozen
        why = "botocore finds none in the environment, in ~/.aws or from the machine's role"
    raise CredentialsMissing(
        "there are no AWS credentials to log in with",
        why=why,
        fix="set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run under an IAM role",
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def open_aws(door: Door, values: Mapping[str, str]) -> AWSIAM:
    """Return the login of `auth=aws`; options `role`, `region`, `server_id`, `auth_mount`."""
    given = Parameters("aws", values, ("auth_mount", "role", "region", "server_id"))
    region = given.text("region")
    if region and not _REGION.fullmatch(region):
        raise BadStoreURL(
            "the vault store URL does not say how to log in",
            why="its region is no AWS region",
            fix="write it like region=eu-central-1, or leave it out",
        )
    return AWSIAM(door, given.mount(), given.text("role"), region, given.text("server_id"))
