"""AWS IAM: OpenBao has no such method, so a strict stand-in for Vault checks what it is sent.

It does what https://developer.hashicorp.com/vault/docs/auth/aws says that Vault does before it asks STS:
looks at the method, the URL, the body and the signed server id; then, in the place of STS, which
knows the key, computes the signature anew by the rules of Signature Version 4.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import sys
from collections.abc import Iterator

import pytest

from keyvault_jwt.errors import MissingExtra
from keyvault_jwt_vault.auth.errors import CredentialsMissing, LoginRefused
from tests.vault.auth.conftest import Opened
from tests.vault.auth.stand_in import Asked, StandIn, Told

KEY_ID, KEY = "AKIDEXAMPLE", "an-aws-secret-of-the-test"
SESSION = "a-session-token"
BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
REFUSED = Told(400, {"errors": ["error making upstream request"]})


class Vault:
    """The method `aws`, type `iam`, with one role and one server id."""

    def __init__(self) -> None:
        self.server_id, self.host, self.region = "vault.example", "sts.amazonaws.com", "us-east-1"
        self.answers = StandIn(self._answer)

    def _answer(self, asked: Asked) -> Told:
        if (asked.method, asked.path) != ("POST", "/v1/auth/aws/login"):
            return Told(204)
        login = asked.json()
        headers = {name.lower(): values for name, values in json.loads(_plain(login, "headers")).items()}
        sound = (
            set(login)
            == {
                "role",
                "iam_http_request_method",
                "iam_request_url",
                "iam_request_body",
                "iam_request_headers",
            }
            and login["iam_http_request_method"] == "POST"
            and _plain(login, "url") == f"https://{self.host}/".encode()
            and _plain(login, "body") == BODY
            and headers["x-vault-aws-iam-server-id"] == [self.server_id]
            and headers["x-amz-security-token"] == [SESSION]
            and headers["host"] == [self.host]
            and self._is_signed({name: ",".join(values) for name, values in headers.items()})
        )
        if not sound:
            return REFUSED
        auth = {"client_token": "s.aws", "accessor": "a", "lease_duration": 3600, "renewable": True}
        return Told(200, {"auth": auth})

    def _is_signed(self, headers: dict[str, str]) -> bool:
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/sts/aws4_request, "
            r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})",
            headers["authorization"],
        )
        assert found
        key_id, day, region, names, signature = found.groups()
        required = {"host", "x-amz-date", "x-vault-aws-iam-server-id"}
        if key_id != KEY_ID or region != self.region or not required <= set(names.split(";")):
            return False
        canonical = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in names.split(";"))
        request = "\n".join(["POST", "/", "", canonical, names, hashlib.sha256(BODY).hexdigest()])
        scope = f"{day}/{region}/sts/aws4_request"
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, digest])
        key = f"AWS4{KEY}".encode()
        for part in (day, region, "sts", "aws4_request", text):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.compare_digest(key.hex(), signature)


def _plain(login: dict[str, str], name: str) -> bytes:
    return base64.b64decode(login[f"iam_request_{name}"], validate=True)


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """Yield the stand-in, and put AWS credentials into the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    vault = Vault()
    yield vault
    vault.answers.stop()


PARAMETERS = {"auth": "aws", "role": "signer", "server_id": "vault.example"}


@pytest.mark.parametrize("region", ["", "eu-central-1", "cn-north-1"])
def test_the_signed_identity_is_what_vault_checks(vault: Vault, opened: Opened, region: str) -> None:
    """URL, body, server id and signature are right for the global endpoint and for a region's."""
    if region:
        suffix = ".cn" if region.startswith("cn-") else ""
        vault.region, vault.host = region, f"sts.{region}.amazonaws.com{suffix}"
    access = opened(PARAMETERS | ({"region": region} if region else {}), server=vault.answers.url)
    assert access.token() == "s.aws"


def test_what_was_signed_for_another_server_is_refused(vault: Vault, opened: Opened) -> None:
    """Another server id is another signed header, which the stand-in, like Vault, refuses."""
    vault.server_id = "other.example"
    with pytest.raises(LoginRefused, match="server_id") as refused:
        opened(PARAMETERS, server=vault.answers.url).token()
    assert not {KEY, SESSION} & set(str(refused.value).split())


def test_the_secret_key_is_never_sent(vault: Vault, opened: Opened) -> None:
    """What goes over the wire holds the key's id and a signature, not the key."""
    opened(PARAMETERS, server=vault.answers.url).token()
    login = vault.answers.asked[0].json()
    assert KEY.encode() not in b"".join(_plain(login, name) for name in ("url", "body", "headers"))


def test_no_credentials_are_told(vault: Vault, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where botocore finds no credentials nothing is sent."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(CredentialsMissing, match="AWS_PROFILE"):
        opened(PARAMETERS, server=vault.answers.url).token()
    assert not vault.answers.asked


def test_without_botocore_the_extra_is_named(
    vault: Vault, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where botocore is not installed the error says what to install."""
    monkeypatch.setitem(sys.modules, "botocore.auth", None)
    with pytest.raises(MissingExtra, match="aws"):
        opened(PARAMETERS, server=vault.answers.url).token()
