"""No log has what is signed or its signature, which together are a token that anybody could use."""

from __future__ import annotations

import base64
import logging

import pytest

from tests.aws.kms.conftest import RING, Workshop, opened


def test_no_token_is_logged(
    workshop: Workshop, environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG, with every logger's records caught, neither message, signature nor session token is there."""
    caplog.set_level(logging.DEBUG)
    environment.setenv("AWS_SESSION_TOKEN", "token-canary-7d1f0c")
    with opened(workshop.url) as store:
        reference = store.key_factory(RING).make("Ed25519").reference or ""
        signature = store.sign(reference, "Ed25519", b"canary-51c0de")
    assert "urllib3" in caplog.text, "nothing was logged at all"
    for secret in (
        "canary",
        base64.b64encode(b"canary-51c0de").decode(),
        base64.b64encode(signature).decode(),
    ):
        assert secret not in caplog.text
