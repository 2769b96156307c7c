"""The layer before moto lets nothing pass that Secrets Manager is not documented to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import boto3.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.aws.documented_secret import KEPT_VERSIONS, MOST_LABELS
from tests.aws.moto_server import MotoServer
from tests.aws.strict_secretsmanager import StrictSecretsManager

NAME = "secret"


def token() -> str:
    """Return a new version's id."""
    return str(uuid4())


@pytest.fixture
def layer_of_its_own(moto: MotoServer) -> Iterator[StrictSecretsManager]:
    """A layer that counts versions, as the service does; what strays is for the test to look at."""
    layer = StrictSecretsManager(moto.url, quota=KEPT_VERSIONS)
    with layer:
        yield layer
        layer.strayed.clear()


@pytest.fixture
def client(layer_of_its_own: StrictSecretsManager, environment: pytest.MonkeyPatch) -> Any:
    """boto3's client for the layer, which tries everything once."""
    return boto3.session.Session().client(
        "secretsmanager",
        region_name="us-east-1",
        endpoint_url=layer_of_its_own.url,
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def secret(client: Any) -> Iterator[dict[str, str]]:
    """A secret with a first version: the parameters that name it, and what is there."""
    name, first = f"{NAME}-{uuid4().hex}", token()
    client.create_secret(Name=name, SecretString="one", ClientRequestToken=first)
    return {"SecretId": name, "first": first}


def put(client: Any, secret: dict[str, str], value: str = "two", *labels: str, version: str = "") -> str:
    """Put a version and return its id."""
    made = version or token()
    stages = {"VersionStages": list(labels)} if labels else {}
    client.put_secret_value(
        SecretId=secret["SecretId"], SecretString=value, ClientRequestToken=made, **stages
    )
    return made


def move(client: Any, secret: dict[str, str], label: str, **versions: str) -> None:
    """Move a label."""
    client.update_secret_version_stage(SecretId=secret["SecretId"], VersionStage=label, **versions)


def refused(call: Callable[[], object]) -> str:
    """Return the code of the refusal that a call meets, and its text."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return f"{error['Code']} {error['Message']}"


def labels_of(client: Any, secret: dict[str, str]) -> dict[str, list[str]]:
    """Return the labels as DescribeSecret tells them."""
    told: dict[str, list[str]] = client.describe_secret(SecretId=secret["SecretId"])["VersionIdsToStages"]
    return {version: sorted(labels) for version, labels in told.items()}


def test_a_get_without_label_after_a_move(
    client: Any, secret: dict[str, str], layer_of_its_own: StrictSecretsManager
) -> None:
    """moto answers with the value from before the move; the layer says that this is not documented."""
    new = put(client, secret, "two", "candidate")
    move(client, secret, "AWSCURRENT", RemoveFromVersionId=secret["first"], MoveToVersionId=new)
    assert "STRICT GetSecretValue" in refused(lambda: client.get_secret_value(SecretId=secret["SecretId"]))
    assert (
        client.get_secret_value(SecretId=secret["SecretId"], VersionStage="AWSCURRENT")["SecretString"]
        == "two"
    )
    assert len(layer_of_its_own.strayed) == 1


def test_two_current_versions(
    client: Any, secret: dict[str, str], layer_of_its_own: StrictSecretsManager
) -> None:
    """A Put after a label move leaves AWSCURRENT on two of moto's versions; the layer says so."""
    new = put(client, secret, "two", "candidate")
    move(client, secret, "AWSCURRENT", RemoveFromVersionId=secret["first"], MoveToVersionId=new)
    assert "STRICT PutSecretValue" in refused(lambda: put(client, secret, "three"))
    assert len(layer_of_its_own.strayed) == 1


def test_what_strayed_fails_the_test_that_it_happened_in(moto: MotoServer) -> None:
    """A client may swallow the 500: the layer fails anyway when it is looked after."""
    layer = StrictSecretsManager(moto.url)
    with pytest.raises(AssertionError, match="undocumented"), layer:
        layer.answer("BatchGetSecretValue", {}, {})


def test_a_token_is_used_for_one_value(client: Any, secret: dict[str, str]) -> None:
    """The same token and value do nothing; with another value it is refused, and nothing changes."""
    pending = put(client, secret, "two", "candidate")
    put(client, secret, "two", "candidate", version=pending)
    code = refused(lambda: put(client, secret, "other", "candidate", version=pending))
    assert code.startswith("ResourceExistsException")
    got = client.get_secret_value(SecretId=secret["SecretId"], VersionId=pending)
    assert got["SecretString"] == "two"


def test_a_label_is_on_one_version(client: Any, secret: dict[str, str]) -> None:
    """A label moves only from the version that bears it: not from none, and not from another."""
    one, two = put(client, secret, "two", "custom"), put(client, secret, "three", "else")
    for label in ("custom", "AWSCURRENT"):
        for versions in ({}, {"RemoveFromVersionId": two}):
            moved = {"MoveToVersionId": two} | versions
            code = refused(lambda label=label, moved=moved: move(client, secret, label, **moved))
            assert code.startswith("InvalidParameterException")
    move(client, secret, "custom", RemoveFromVersionId=one, MoveToVersionId=two)
    assert labels_of(client, secret) == {secret["first"]: ["AWSCURRENT"], two: ["custom", "else"]}


def test_labels_that_move_by_themselves(client: Any, secret: dict[str, str]) -> None:
    """AWSPREVIOUS goes where AWSCURRENT is taken from, and a put label leaves its last version."""
    one = put(client, secret, "two", "candidate")
    two = put(client, secret, "three", "candidate")
    move(client, secret, "AWSCURRENT", RemoveFromVersionId=secret["first"], MoveToVersionId=one)
    assert labels_of(client, secret) == {
        secret["first"]: ["AWSPREVIOUS"],
        one: ["AWSCURRENT"],
        two: ["candidate"],
    }
    move(client, secret, "AWSCURRENT", RemoveFromVersionId=one, MoveToVersionId=two)
    move(client, secret, "AWSPREVIOUS", RemoveFromVersionId=one)
    assert labels_of(client, secret) == {two: ["AWSCURRENT", "candidate"]}


def test_current_stays_somewhere(client: Any, secret: dict[str, str]) -> None:
    """AWSCURRENT moves, and is never taken off."""
    code = refused(lambda: move(client, secret, "AWSCURRENT", RemoveFromVersionId=secret["first"]))
    assert code.startswith("InvalidParameterException")


def test_labels_are_at_most_twenty(client: Any, secret: dict[str, str]) -> None:
    """A secret has at most 20 labels over all its versions."""
    put(client, secret, "two", *[f"label-{number}" for number in range(MOST_LABELS - 1)])
    code = refused(lambda: put(client, secret, "three", "one-more"))
    assert code.startswith("LimitExceededException")


@pytest.mark.parametrize(
    "value", [{"SecretString": "x" * 65_537}, {"SecretString": "é" * 32_769}, {"SecretBinary": b"x" * 65_537}]
)
def test_sizes(client: Any, secret: dict[str, str], value: dict[str, Any]) -> None:
    """A value has at most 65 536 bytes, text in UTF-8 or binary, and that many are taken."""
    put(client, secret, "x" * 65_536, "candidate")
    asked = {"SecretId": secret["SecretId"], "ClientRequestToken": token(), **value}
    assert refused(lambda: client.put_secret_value(**asked)).startswith("ValidationException")


def test_a_deleted_secret(client: Any, secret: dict[str, str]) -> None:
    """A secret scheduled for deletion is described and restored; not read, written or made again."""
    name = secret["SecretId"]
    client.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    calls: list[Callable[[], object]] = [
        lambda: client.get_secret_value(SecretId=name, VersionStage="AWSCURRENT"),
        lambda: put(client, secret, "two", "candidate"),
        lambda: move(client, secret, "AWSPREVIOUS", MoveToVersionId=secret["first"]),
        lambda: client.create_secret(Name=name, SecretString="x", ClientRequestToken=token()),
        lambda: client.delete_secret(SecretId=name, RecoveryWindowInDays=7),
    ]
    for call in calls:
        assert refused(call).startswith("InvalidRequestException")
    assert "DeletedDate" in client.describe_secret(SecretId=name)
    client.restore_secret(SecretId=name)
    assert put(client, secret, "two", "candidate") in labels_of(client, secret)


def test_versions_are_counted_and_pruned(
    client: Any, secret: dict[str, str], layer_of_its_own: StrictSecretsManager
) -> None:
    """A hundred versions in a day are all; after it those without a label make room, oldest first."""
    made = [put(client, secret, f"{number}", "candidate") for number in range(KEPT_VERSIONS - 1)]
    assert refused(lambda: put(client, secret, "one more", "candidate")).startswith("LimitExceededException")
    layer_of_its_own.region().hours += 25
    put(client, secret, "one more", "candidate")
    code = refused(lambda: client.get_secret_value(SecretId=secret["SecretId"], VersionId=made[0]))
    assert code.startswith("ResourceNotFoundException")
    for kept in (secret["first"], made[1]):
        client.get_secret_value(SecretId=secret["SecretId"], VersionId=kept)


def test_versions_without_label_are_listed_when_asked_for(client: Any, secret: dict[str, str]) -> None:
    """Describe and list tell of labelled versions; `IncludeDeprecated` of the others, too."""
    lost = put(client, secret, "two", "candidate")
    found = put(client, secret, "three", "candidate")

    def listed(**options: bool) -> set[str]:
        told = client.list_secret_version_ids(SecretId=secret["SecretId"], **options)["Versions"]
        return {version["VersionId"] for version in told}

    assert listed() == {secret["first"], found} == set(labels_of(client, secret))
    assert listed(IncludeDeprecated=True) == {secret["first"], lost, found}


def test_create(client: Any, secret: dict[str, str]) -> None:
    """A name is taken once; the same token and value again are ignored."""
    name = secret["SecretId"]
    client.create_secret(Name=name, SecretString="one", ClientRequestToken=secret["first"])
    code = refused(lambda: client.create_secret(Name=name, SecretString="one", ClientRequestToken=token()))
    assert code.startswith("ResourceExistsException")


def test_grants(client: Any, secret: dict[str, str], layer_of_its_own: StrictSecretsManager) -> None:
    """What a rule does not allow to a key is denied, though moto would do it."""
    layer_of_its_own.grants.limit(
        "AKIAIOSFODNN7EXAMPLE", lambda operation, name, asked: "VersionStage" in asked
    )
    denied = refused(lambda: client.get_secret_value(SecretId=secret["SecretId"]))
    assert denied.startswith("AccessDeniedException")
    client.get_secret_value(SecretId=secret["SecretId"], VersionStage="AWSCURRENT")


def rotation(client: Any, secret: dict[str, str]) -> str:
    """Begin a rotation and return its token."""
    begun = token()
    client.rotate_secret(
        SecretId=secret["SecretId"],
        ClientRequestToken=begun,
        RotationLambdaARN="arn:aws:lambda:us-east-1:1:f",
    )
    return begun


def test_a_rotation_begins_with_an_empty_version(client: Any, secret: dict[str, str]) -> None:
    """It bears AWSPENDING and can't be read until it is put; DescribeSecret tells that rotation is on."""
    assert client.describe_secret(SecretId=secret["SecretId"])["RotationEnabled"] is False
    begun = rotation(client, secret)
    assert labels_of(client, secret)[begun] == ["AWSPENDING"]
    assert client.describe_secret(SecretId=secret["SecretId"])["RotationEnabled"] is True
    asked = {"SecretId": secret["SecretId"], "VersionId": begun, "VersionStage": "AWSPENDING"}
    assert refused(lambda: client.get_secret_value(**asked)).startswith("ResourceNotFoundException")
    put(client, secret, "two", "AWSPENDING", version=begun)
    assert client.get_secret_value(**asked)["SecretString"] == "two"


def test_one_rotation_at_a_time(client: Any, secret: dict[str, str]) -> None:
    """Another can't begin until AWSPENDING is off, or on the current version."""
    begun = rotation(client, secret)
    assert "previous rotation" in refused(lambda: rotation(client, secret))
    move(client, secret, "AWSPENDING", RemoveFromVersionId=begun)
    assert begun not in labels_of(client, secret)
    again = rotation(client, secret)
    put(client, secret, "two", "AWSPENDING", version=again)
    assert "previous rotation" in refused(lambda: rotation(client, secret))
    move(client, secret, "AWSCURRENT", RemoveFromVersionId=secret["first"], MoveToVersionId=again)
    last = rotation(client, secret)
    assert labels_of(client, secret)[last] == ["AWSPENDING"]
    assert labels_of(client, secret)[again] == ["AWSCURRENT"]


def test_rotation_off(client: Any, secret: dict[str, str]) -> None:
    """No rotation begins without a function; cancelling one leaves its label where it is."""
    assert "Lambda" in refused(lambda: client.rotate_secret(SecretId=secret["SecretId"]))
    begun = rotation(client, secret)
    client.cancel_rotate_secret(SecretId=secret["SecretId"])
    assert client.describe_secret(SecretId=secret["SecretId"])["RotationEnabled"] is False
    assert labels_of(client, secret)[begun] == ["AWSPENDING"]
