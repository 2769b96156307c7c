"""Works: one keyring at work in this process, with every piece whole, and a judge who misses no token."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

import keyvault_jwt as kj
from keyvault_jwt.demo.acts import SCHEDULED
from keyvault_jwt.demo.ticket import Ticket, ticket_of
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.events import Event
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.ledger import Entry
from keyvault_jwt.server import create_app, running
from keyvault_jwt.verification_errors import KeysUnavailable, VerificationError
from tests.waiting import until

RING, ISSUER, AUDIENCE = "payments", "https://id.example", "api"
POLICY = kj.RotationPolicy(
    rotate_every="7500ms",
    token_ttl="2s",
    leeway="100ms",
    clock_skew="100ms",
    signer_poll="200ms",
    publisher_poll="200ms",
    signer_lease="2s",
    publisher_lease="2s",
    jwks_max_age="1s",
    max_stale="2s",
    rollback_window=timedelta(seconds=1),
)
"""Lead 5.1 s; a rotation every 7.5 s."""
_PAUSE: Final = 0.1


class Works:
    """A scheduler, a signer, a publisher over HTTP and a verifier, each with a store of its own.

    `rotator`, `signing` and `publishing` are store URLs, opened under the environment of that moment.
    """

    def __init__(self, rotator: str, signing: str = "", publishing: str = "") -> None:
        self._open = ExitStack()
        self.events: list[Event] = []
        self.manager = self._open.enter_context(kj.KeyManager(kj.open_store(rotator), listener=self._hear))
        self.manager.create(RING, POLICY, issuer=ISSUER)
        signing_store = self._open.enter_context(kj.open_store(signing or rotator))
        public_store = self._open.enter_context(kj.open_store(publishing or rotator))
        self.signer = kj.Signer(signing_store, RING, issuer=ISSUER)
        app = create_app(public_store, rings=[RING], default_ring=RING, operator_pages=False)
        self.jwks = f"{self._open.enter_context(running(app))}/{RING}/.well-known/jwks.json"
        self.scheduler = kj.RotationScheduler(self.manager, RING, listener=self._hear)
        self.issued = 0
        self.refused: list[str] = []
        self.unavailable: Counter[str] = Counter()
        self.unsigned: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self._ended = threading.Event()
        self._judge = threading.Thread(target=self._judge_all, name="judge")

    def __enter__(self) -> Self:
        self._open.enter_context(self.signer)
        self._open.enter_context(self.scheduler)
        self._judge.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._judge.join()
        self._open.close()

    # --- looking -------------------------------------------------------------------------------

    @property
    def keyring(self) -> Keyring:
        return self.manager.keyring(RING)

    def rotations(self) -> list[Entry]:
        """Return the promotions that the schedule made."""
        found = self.keyring.ledger.entries
        return [entry for entry in found if entry.action == "promoted" and entry.detail == SCHEDULED]

    def rotated(self) -> set[str]:
        """Return the kids whose promotion by schedule the scheduler told of, asking no server."""
        return {str(e.facts["kid"]) for e in list(self.events) if e.name == "keyring.promoted"}

    def failures(self) -> Counter[str]:
        """Return the codes by which passes of the scheduler failed."""
        told = [e for e in list(self.events) if e.name == "scheduler.keyring-failed"]
        return Counter(str(event.facts["code"]) for event in told)

    def goes_on(self) -> None:
        """Wait until the schedule has made another key the signing one, and its tokens are accepted."""
        before = self.rotated()
        until(lambda: any(self.accepted[kid] for kid in self.rotated() - before), within=60)

    def require_all_accepted(self) -> None:
        """Fail if a token was refused that was good, or if there was none."""
        assert not self.refused, self.refused[:5]
        assert sum(self.accepted.values()) >= self.issued > 0

    # --- judging -------------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        self.events.append(event)

    def _judge_all(self) -> None:
        """Sign again and again, and try every token again and again for as long as it is valid."""
        living: list[Ticket] = []
        with kj.JWKSCache(self.jwks, timeout=timedelta(seconds=1)) as cache:
            verifier = kj.Verifier(
                cache, issuer=ISSUER, audience=AUDIENCE, algorithms=["ES256"], leeway=POLICY.leeway
            )
            while not self._ended.wait(_PAUSE):
                living = [ticket for ticket in (*living, *self._sign()) if _now() < ticket.expires]
                for ticket in living:
                    self._verify(verifier, ticket)

    def _sign(self) -> Iterator[Ticket]:
        try:
            token = self.signer.sign({"sub": "u1", "aud": AUDIENCE, "jti": uuid.uuid4().hex})
        except KeyvaultJWTError as refusal:
            self.unsigned[refusal.code] += 1
            return
        self.issued += 1
        yield ticket_of(token)

    def _verify(self, verifier: kj.Verifier, ticket: Ticket) -> None:
        try:
            verifier.verify(ticket.token)
        except KeysUnavailable as failure:
            self.unavailable[failure.code] += 1
        except VerificationError as refusal:
            if _now() < ticket.expires:
                self.refused.append(f"{ticket.kid}: {refusal.code}")
        else:
            self.accepted[ticket.kid] += 1


def _now() -> int:
    return time.time_ns() // 1_000_000
