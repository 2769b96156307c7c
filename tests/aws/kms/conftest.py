"""A keyring's place in Secrets Manager whose keys are made in the KMS stand-in, and a clock of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

import keyvault_jwt as kj
from keyvault_jwt.events import Event
from keyvault_jwt.keys import KeyRecord
from keyvault_jwt.testing import FakeClock
from keyvault_jwt_aws import KmsStore, Service, open_url, parse_url
from tests.aws.kms.standin_kms import StandInKms
from tests.faulty_store import FAST

ISSUER, RING = "https://id.example", "payments"


class Workshop:
    """A place, its manager, and KMS; `pass_by` turns the clocks of both."""

    def __init__(self, kms: StandInKms, url: str) -> None:
        self.kms, self.url, self.clock = kms, url, FakeClock()
        self.events: list[Event] = []
        self.store = KmsStore(Service(parse_url(url)), wait=self.wait)
        self.manager = self.manages(self.store)

    @property
    def keyring_tag(self) -> str:
        """What the keyring's keys are tagged with."""
        return f"{parse_url(self.url).prefix}/{RING}"

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.clock.advance(int(seconds * 1000))
        self.kms.seconds += seconds

    def manages(self, store: Any, **options: Any) -> kj.KeyManager:
        """Return a manager by this workshop's clock."""
        return kj.KeyManager(store, clock=self.clock, listener=self.events.append, wait=self.wait, **options)

    def create(self, algorithm: str = "ES256") -> kj.KeyManager:
        """Make the keyring under the policy of seconds."""
        self.manager.create(RING, FAST.model_copy(update={"algorithm": algorithm}), issuer=ISSUER)
        return self.manager

    def signer(self) -> kj.Signer:
        """Return a signer that reads now and does not poll."""
        return kj.Signer(self.store, RING, issuer=ISSUER, clock=self.clock, background=False)

    def token(self, **claims: Any) -> str:
        """Return a token by whatever key signs now."""
        with self.signer() as signer:
            return signer.sign({"sub": "u1", "aud": "api", **claims}, ttl=timedelta(seconds=2))

    def claims(self, token: str, algorithm: str = "ES256") -> dict[str, Any]:
        """Return the claims of a token for a verifier that reads the published set now."""
        with kj.JWKSCache.from_store(self.store, RING, clock=self.clock) as cache:
            verifier = kj.Verifier(
                cache, issuer=ISSUER, audience="api", algorithms=[algorithm], clock=self.clock
            )
            return verifier.verify(token)

    def pass_by(self, milliseconds: int) -> None:
        """Let time go by in steps of 500 ms, with a pass after each; KMS's clock runs a minute for each."""
        for _ in range(milliseconds // 500):
            self.clock.advance(500)
            self.kms.seconds += 60
            self.manager.reconcile(RING)

    @property
    def active(self) -> KeyRecord:
        """The key that signs."""
        found = self.manager.keyring(RING).active
        assert found is not None
        return found

    @property
    def named(self) -> set[str]:
        """The ARNs that the authority refers to."""
        records = self.manager.keyring(RING).records
        return {r.reference.partition("#")[0] for r in records if r.reference is not None}


@pytest.fixture
def kms() -> Iterator[StandInKms]:
    """A stand-in without keys."""
    with StandInKms() as running:
        yield running


@pytest.fixture
def url(prefix_url: str, kms: StandInKms) -> str:
    """The URL of an empty prefix whose keys are made in the stand-in."""
    patient = "&connect_timeout=5s&read_timeout=20s&deadline=60s"  # RSA keys take a while on a busy machine
    return f"{prefix_url}{patient}&kms=sign&kms_endpoint_url={kms.url}"


@pytest.fixture
def workshop(kms: StandInKms, url: str) -> Iterator[Workshop]:
    """An empty place."""
    made = Workshop(kms, url)
    with made.store:
        yield made


def opened(url: str) -> KmsStore:
    """Return another store of the same place."""
    store = open_url(url)
    assert isinstance(store, KmsStore)
    return store
