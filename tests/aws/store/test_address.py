"""Store URLs that may not be used, and ways to AWS that a private half may not take."""

from __future__ import annotations

from uuid import uuid4

import pytest

from keyvault_jwt.errors import BadStoreURL
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt_aws import SeparateStore, open_url, parse_url
from keyvault_jwt_aws.address import STALENESS
from keyvault_jwt_aws.secret_name import document_name, secret_name
from tests.aws.strict_secretsmanager import StrictSecretsManager

NAME = DocumentName("payments", DocumentKind.AUTHORITY)
HERE = "endpoint_url=http://127.0.0.1:5000"


@pytest.mark.parametrize(
    "url",
    [
        "awssm:",
        "awssm://",
        "awssm:///jwt",
        "awssm://nowhere/jwt",
        "awssm://US-EAST-1/jwt",
        "awssm://us-east-1/a b",
        "awssm://us-east-1/a//b",
        "awssm://us-east-1/é",
        f"awssm://us-east-1/{'x' * 401}",
        "awssm://us-east-1/jwt#part",
        "awssm://us-east-1/jwt?colour=red",
        "awssm://us-east-1/jwt?deadline=1s&deadline=2s",
        "awssm://us-east-1/jwt?deadline=0s",
        "awssm://us-east-1/jwt?staleness=soon",
        "awssm://us-east-1/jwt?staleness=0",
        "awssm://us-east-1/jwt?staleness=0s",
        "awssm://us-east-1/jwt?quota=off",
        "awssm://us-east-1/jwt?quota=perhaps",
        "awssm://us-east-1/jwt?tags=team",
        "awssm://us-east-1/jwt?tags=aws:x%3Dy",
        "awssm://us-east-1/jwt?endpoint_url=http://10.0.0.1:5000",
        "awssm://us-east-1/jwt?endpoint_url=http://moto.example",
        "awssm://us-east-1/jwt?endpoint_url=ftp://127.0.0.1",
        "awssm://us-east-1/jwt?endpoint_url=https://u:p@127.0.0.1",
        "awssm://us-east-1/jwt?endpoint_url=https://vpce.example&staleness=0&quota=off",
        f"awssm://us-east-1/jwt?{HERE}%3Fx",
    ],
)
def test_bad_urls(url: str) -> None:
    """A URL that names no place, or claims what AWS does not promise, is refused."""
    with pytest.raises(BadStoreURL):
        open_url(url)


@pytest.mark.parametrize(
    ("option", "fix"),
    [
        ("private_halves=seperate", "private_halves=separate"),
        ("staleness=0", "staleness=30s"),
        ("deadline=soon", "deadline=3s"),
        ("colour=red", "docs/aws.md"),
    ],
)
def test_what_to_write_instead(option: str, fix: str) -> None:
    """An option that can't be meant is told with what may be meant: never to drop a protection."""
    with pytest.raises(BadStoreURL) as told:
        open_url(f"awssm://us-east-1/jwt?{option}")
    assert fix in told.value.fix


def test_what_is_declared() -> None:
    """Reads may be old unless a server on this machine says otherwise."""
    assert open_url("awssm://us-east-1/jwt").staleness == STALENESS == 30_000
    assert open_url("awssm://us-east-1/jwt?staleness=1m").staleness == 60_000
    here = parse_url(f"awssm://us-east-1/jwt?{HERE}&quota=off&staleness=0")
    assert (here.staleness, here.sparing) == (0, False)
    assert parse_url(f"awssm://us-east-1/jwt?{HERE}").sparing
    assert open_url("awssm://us-east-1/jwt").limits.document_bytes == 65_280


def test_plain_http_by_the_environment(environment: pytest.MonkeyPatch) -> None:
    """AWS_ENDPOINT_URL is part of AWS's own chain, and leads over plain HTTP to this machine alone, too."""
    environment.setenv("AWS_ENDPOINT_URL", "http://10.0.0.1:5000")
    with open_url("awssm://us-east-1/jwt") as store, pytest.raises(BadStoreURL, match="https"):
        store.read(NAME)


def test_an_endpoint_of_the_environment(
    strict: StrictSecretsManager, environment: pytest.MonkeyPatch
) -> None:
    """AWS_ENDPOINT_URL of this machine is used, without anything in the store URL."""
    environment.setenv("AWS_ENDPOINT_URL", strict.url)
    with open_url("awssm://us-east-1/jwt") as store:
        assert store.read(NAME) is None
    assert strict.count()["GetSecretValue"] == 1


@pytest.mark.parametrize("said", ["in the URL", "in the environment"])
def test_no_proxy_for_this_machine(
    strict: StrictSecretsManager, prefix_url: str, environment: pytest.MonkeyPatch, said: str
) -> None:
    """The network's proxy is not asked for loopback, where requests would leave the machine in the clear."""
    if said == "in the environment":
        environment.setenv("AWS_ENDPOINT_URL", strict.url)
        prefix_url = prefix_url.partition("?")[0]
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        environment.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        environment.delenv(name, raising=False)
    with open_url(prefix_url) as store:
        assert store.read(NAME) is None
    assert strict.count()["GetSecretValue"] == 1


def test_key_and_tags_of_new_secrets(strict: StrictSecretsManager, prefix_url: str) -> None:
    """A new secret is encrypted under the key and bears the tags that the store URL names."""
    url = f"{prefix_url}&kms_key=alias/jwt&tags=team%3Dpayments,env%3Dprod"
    with open_url(url) as store:
        store.replace(NAME, Draft(b"{}", 1, uuid4()), expected=None)
    asked = next(asked for operation, asked in strict.requests if operation == "CreateSecret")
    assert asked["KmsKeyId"] == "alias/jwt"
    assert asked["Tags"] == [{"Key": "team", "Value": "payments"}, {"Key": "env", "Value": "prod"}]


@pytest.mark.parametrize("prefix", ["", "jwt", "a/b", "a/payments"])
def test_names(prefix: str) -> None:
    """Every document has a secret of its own, and other secrets are no documents."""
    names = [DocumentName("payments", kind) for kind in DocumentKind]
    names += [DocumentName("p-1.x_y", DocumentKind.ARCHIVE, 12)]
    assert [document_name(prefix, secret_name(prefix, name)) for name in names] == names
    for other in (
        "payments",
        "payments/other",
        "payments/public-1",
        "payments/archive-01",
        "X/public",
        "a//b",
    ):
        assert document_name(prefix, f"{prefix}/{other}" if prefix else other) is None


def test_names_are_listed_page_by_page(strict: StrictSecretsManager, prefix_url: str) -> None:
    """More secrets than fit on a page are all listed, and other prefixes are not."""
    near = prefix_url.replace("?", "-near?", 1)
    with open_url(prefix_url) as store, open_url(near) as other:
        other.replace(NAME, Draft(b"{}", 1, uuid4()), expected=None)
        names = [DocumentName(f"ring-{number}", DocumentKind.PUBLIC) for number in range(103)]
        for name in names:
            store.replace(name, Draft(b"{}", 1, uuid4()), expected=None)
        strict.requests.clear()
        assert store.names() == sorted(names)
    assert strict.count()["ListSecrets"] == 2


@pytest.mark.parametrize(
    "options",
    [
        "private_halves=together",
        "private_halves=",
        "private_halves=separate&kms=sign",
        "private_halves=separate&replicas=eu-west-1",
        "private_halves=separate&read_from=eu-west-1&staleness=1m",
    ],
)
def test_private_halves(options: str) -> None:
    """Keys of their own are for one region and for private halves that are here."""
    with pytest.raises(BadStoreURL, match=r"private_halves|kms"):
        open_url(f"awssm://us-east-1/jwt?{options}")
    assert isinstance(open_url("awssm://us-east-1/jwt?private_halves=separate"), SeparateStore)


def test_names_of_keys_have_room() -> None:
    """The longest name that a key may get is one that Secrets Manager takes: 512 characters."""
    longest = f"{'x' * 350}/{'r' * 63}/verification-key-{uuid4()}"
    assert len(longest) <= 512
    with pytest.raises(BadStoreURL, match="350"):
        open_url(f"awssm://us-east-1/{'x' * 351}?private_halves=separate")
