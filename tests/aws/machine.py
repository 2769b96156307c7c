"""A machine with a clock of its own, and what its services make of a store in Secrets Manager."""

from __future__ import annotations

from datetime import timedelta
from types import TracebackType
from typing import Self

import keyvault_jwt as kj
from keyvault_jwt.events import Event
from keyvault_jwt.testing import FakeClock
from keyvault_jwt_aws import AwsStore, SeparateStore, Service, parse_url
from tests.faulty_store import FAST

ISSUER, RING = "https://id.example", "payments"


class Machine:
    """A store and its manager, by a clock that only a test turns; pauses turn it, too."""

    def __init__(self, url: str) -> None:
        self.clock = FakeClock()
        self.events: list[Event] = []
        address = parse_url(url)
        kind = SeparateStore if address.separate else AwsStore
        self.store = kind(Service(address), wait=self.pass_time)
        self.manager = kj.KeyManager(
            self.store, clock=self.clock, listener=self.events.append, wait=self.pass_time
        )

    @classmethod
    def with_keyring(cls, url: str) -> Machine:
        """Return a machine that has made a keyring of the policy of seconds."""
        machine = cls(url)
        machine.manager.create(RING, FAST, issuer=ISSUER)
        return machine

    def pass_time(self, seconds: float) -> None:
        """Let time go by on this machine's clock."""
        self.clock.advance(int(seconds * 1000))

    def token(self) -> str:
        """Return a token by whatever key signs now."""
        with kj.Signer(self.store, RING, issuer=ISSUER, clock=self.clock, background=False) as signer:
            return signer.sign({"sub": "u1", "aud": "api"}, ttl=timedelta(seconds=2))

    def accepts(self, token: str) -> bool:
        """Return whether a verifier that reads the published set now takes the token."""
        with kj.JWKSCache.from_store(self.store, RING, clock=self.clock) as cache:
            verifier = kj.Verifier(
                cache, issuer=ISSUER, audience="api", algorithms=["ES256"], clock=self.clock
            )
            try:
                verifier.verify(token)
            except kj.VerificationError:
                return False
            return True

    def active(self) -> str:
        """Return the kid that signs."""
        found = self.manager.keyring(RING).active
        assert found is not None
        return found.kid

    def run_to_rest(self) -> None:
        """Let time pass in steps of 200 ms until a rotation is over and everything is stamped."""
        for _ in range(60):
            self.clock.advance(200)
            self.manager.reconcile(RING)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.manager.close()
