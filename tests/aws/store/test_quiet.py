"""No request's body or session token gets into any log, though botocore prints both at DEBUG."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import boto3.session
import pytest

from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt_aws import AwsStore, open_url
from keyvault_jwt_aws.errors import Denied
from tests.aws.faults import Answers
from tests.aws.machine import RING
from tests.aws.strict_secretsmanager import StrictSecretsManager

NAME = DocumentName(RING, DocumentKind.AUTHORITY)
CANARY = "canary-7d1f0c"

ROOT = Path(__file__).parents[3]
FRESH = """
import logging, os
logging.basicConfig(level=logging.DEBUG)
from tests.aws.store.test_quiet import use
use(os.environ["STORE"])
"""


def use(url: str) -> None:
    """Write and read a document that holds the canary, by a store of its own."""
    with open_url(url) as store:
        version = store.replace(NAME, Draft(CANARY.encode(), 1, uuid4()), expected=None)
        store.replace(NAME, Draft(CANARY.encode(), 2, uuid4()), expected=version)
        assert store.read(NAME) is not None


def test_no_body_is_logged(
    prefix_url: str, environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG, with every logger's records caught, neither the document nor the token is among them."""
    caplog.set_level(logging.DEBUG)
    environment.setenv("AWS_SESSION_TOKEN", f"token-{CANARY}")
    use(prefix_url)
    assert CANARY not in caplog.text


def test_no_body_is_logged_by_a_fresh_process(prefix_url: str, environment: pytest.MonkeyPatch) -> None:
    """Nor by the first request of a process, during which botocore loads much of itself."""
    environment.setenv("AWS_SESSION_TOKEN", f"token-{CANARY}")
    environment.setenv("STORE", prefix_url)
    done = subprocess.run(
        [sys.executable, "-c", FRESH], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert "urllib3" in done.stderr, "nothing was logged at all"
    assert CANARY not in done.stderr


def test_others_log_as_before(
    prefix_url: str, strict: StrictSecretsManager, caplog: pytest.LogCaptureFixture
) -> None:
    """botocore's own debugging goes on for whoever else uses it in this process."""
    caplog.set_level(logging.DEBUG)
    use(prefix_url)
    client = boto3.session.Session().client(
        "secretsmanager", region_name="us-east-1", endpoint_url=strict.url
    )
    client.list_secrets(MaxResults=1)
    assert "Making request for OperationModel(name=ListSecrets)" in caplog.text
    assert CANARY not in caplog.text


def test_errors_quote_no_body(store: AwsStore, strict: StrictSecretsManager) -> None:
    """An error's whole chain has neither the request nor botocore's exception in it."""
    strict.next("CreateSecret", Answers("AccessDeniedException", "no"))
    with pytest.raises(Denied) as caught:
        store.replace(NAME, Draft(CANARY.encode(), 1, uuid4()), expected=None)
    error: BaseException | None = caught.value
    while error is not None:
        assert CANARY not in f"{error!r} {error}"
        assert type(error).__module__.startswith("keyvault_jwt")
        error = error.__cause__ or error.__context__
    assert CANARY not in repr(Draft(CANARY.encode(), 1, uuid4()))
