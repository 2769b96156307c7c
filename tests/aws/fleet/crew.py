"""Crew: scheduler, signer, publisher and verifier of one keyring, by a clock that only a test turns."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

import keyvault_jwt as kj
from keyvault_jwt.clock import Instant
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.events import Event
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.testing import FakeClock
from keyvault_jwt.verification_errors import KeysUnavailable, VerificationError
from keyvault_jwt_aws import open_url
from tests.faulty_store import FAST

ISSUER, RING, AUDIENCE = "https://id.example", "payments", "api"
NO_REPEAT: Final = "&connect_timeout=300ms&read_timeout=1s&deadline=1500ms"
"""Time for one try of each request, so that troubles are not waited out."""
_STEP: Final = 200
_TTL: Final = timedelta(seconds=2)


@dataclass(frozen=True)
class Ticket:
    """A token, and until when it is good."""

    token: str
    kid: str
    expires: Instant


class Crew:
    """Everybody has a store of their own: the scheduler that of `url`, the others that of `reading`."""

    def __init__(self, url: str, reading: str = "") -> None:
        self.clock, self._open = FakeClock(), ExitStack()
        self.events: list[Event] = []
        reading = (reading or url) + NO_REPEAT
        self.manager = self._open.enter_context(
            kj.KeyManager(open_url(url + NO_REPEAT), clock=self.clock, listener=self.events.append)
        )
        staleness = timedelta(milliseconds=open_url(url).staleness)
        policy = FAST.model_copy(update={"rotate_every": FAST.rotate_every + 2 * staleness})
        self.manager.create(RING, policy, issuer=ISSUER)
        stores = [self._open.enter_context(open_url(reading)) for _ in range(3)]
        self.signer = self._open.enter_context(
            kj.Signer(stores[0], RING, issuer=ISSUER, clock=self.clock, background=False)
        )
        self.publisher = kj.Publisher(stores[1], RING, clock=self.clock, background=False)
        self._cache = self._open.enter_context(kj.JWKSCache.from_store(stores[2], RING, clock=self.clock))
        self._verifier = kj.Verifier(
            self._cache, issuer=ISSUER, audience=AUDIENCE, algorithms=["ES256"], clock=self.clock
        )
        self._living: list[Ticket] = []
        self.failures: Counter[str] = Counter()
        self.unsigned: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.refused: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def keyring(self) -> Keyring:
        """The keyring as its authority says."""
        return self.manager.keyring(RING)

    @property
    def published(self) -> int:
        """The revision that the publisher shows."""
        self.publisher.refresh()
        held = self.publisher.status().published
        assert held is not None
        return held.revision

    def live(self, milliseconds: int) -> None:
        """Let time go by in steps, at each of which everybody does what falls to them."""
        for _ in range(milliseconds // _STEP):
            self.clock.advance(_STEP)
            try:
                self.manager.reconcile(RING)
            except KeyvaultJWTError as failure:
                self.failures[failure.code] += 1
            self.signer.refresh()
            self._sign()
            self.publisher.refresh()
            self._judge()

    def goes_on(self) -> None:
        """Live until another key signs, and tokens of it are accepted; everything is well all the while."""
        before, failed = self.keyring.active, self.failures.total()
        assert before is not None
        for _ in range(12):
            self.live(1000)
            active = self.keyring.active
            if active is not None and active.kid != before.kid and self.accepted[active.kid]:
                assert self.failures.total() == failed
                assert self.published == self.keyring.revision
                return
        raise AssertionError("no other key signs")

    def require_all_accepted(self) -> None:
        """Fail if a token was refused that was good, or if there was none."""
        assert not self.refused, self.refused[:5]
        assert self.accepted.total() > 0

    def _sign(self) -> None:
        try:
            token = self.signer.sign({"sub": "u1", "aud": AUDIENCE}, ttl=_TTL)
        except KeyvaultJWTError as refusal:
            self.unsigned[refusal.code] += 1
            return
        assert self.signer.kid is not None
        self._living.append(Ticket(token, self.signer.kid, self.clock.wall() + 1800))

    def _judge(self) -> None:
        self._living = [ticket for ticket in self._living if self.clock.wall() < ticket.expires]
        for ticket in self._living[:: max(1, len(self._living) // 3)]:
            try:
                self._verifier.verify(ticket.token)
            except KeysUnavailable:
                continue
            except VerificationError as refusal:
                self.refused.append(f"{ticket.kid}: {refusal.code}")
            else:
                self.accepted[ticket.kid] += 1
