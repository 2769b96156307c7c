"""The same against moto's KMS and tagging API, which somebody else wrote, where it knows the spec.

moto 5.2 has RSA and ECC keys, but neither ML-DSA nor Ed25519; it hashes digests again, salts PSS
with more bytes than the digest has, signs with keys that are disabled or going, and asks for no
rights: the stand-in holds KMS to those rules.
"""

from __future__ import annotations

from collections.abc import Iterator

import boto3.session
import pytest

import keyvault_jwt as kj
from keyvault_jwt.testing import FakeClock
from keyvault_jwt_aws import KmsStore
from tests.aws.kms.conftest import ISSUER, RING, opened
from tests.aws.moto_server import MotoServer
from tests.faulty_store import FAST


@pytest.fixture
def store(prefix_url: str, moto: MotoServer) -> Iterator[KmsStore]:
    """An empty place whose keys are made in moto."""
    with opened(f"{prefix_url}&kms=sign&kms_endpoint_url={moto.url}") as made:
        yield made


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512", "RS512"])
def test_rotation_with_motos_keys(store: KmsStore, moto: MotoServer, algorithm: str) -> None:
    """A keyring signs, rotates and lets its revoked key go in moto."""
    clock = FakeClock()
    manager = kj.KeyManager(store, clock=clock, wait=lambda seconds: None)
    policy = FAST.model_copy(update={"algorithm": algorithm})
    manager.create(RING, policy, issuer=ISSUER)
    with (
        kj.Signer(store, RING, clock=clock, background=False) as signer,
        kj.JWKSCache.from_store(store, RING, clock=clock) as cache,
    ):
        token = signer.sign({"sub": "u1", "aud": "api"})
        verifier = kj.Verifier(cache, issuer=ISSUER, audience="api", algorithms=[algorithm], clock=clock)
        assert verifier.verify(token)["sub"] == "u1"
    active = manager.keyring(RING).active
    assert active is not None
    assert not manager.revoke(RING, active.kid, reason="leaked", accept_refusals=True).alarms
    client = boto3.session.Session().client("kms", region_name="us-east-1", endpoint_url=moto.url)
    arn = (active.reference or "").partition("#")[0]
    assert client.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion"
