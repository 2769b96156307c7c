"""A service that signs: the real `Signer`, which reads as seldom and as late as its lease allows."""

from __future__ import annotations

from datetime import timedelta

from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.signer import Signer
from tests.simulation.kept_marks import KeptMarks
from tests.simulation.ring import Ring
from tests.simulation.shared_store import StoreView
from tests.simulation.site import Site
from tests.simulation.tokens import AUDIENCE, Token


class SigningService:
    """One process that signs for one keyring.

    Nobody sees when it polls, only what it signs: so the instant of its last read is made up
    when it signs, anywhere that its lease allows.
    """

    def __init__(self, name: str, ring: Ring, site: Site) -> None:
        self.name, self._ring, self._site = name, ring, site
        self._clock = site.clock()
        self._view = StoreView(site.store, self._clock, site.dice)
        self._marks = KeptMarks()
        self._signer = self._started()

    def _started(self) -> Signer:
        return Signer(
            self._view,
            self._ring.name,
            issuer=self._ring.issuer,
            clock=self._clock,
            marks=self._marks,
            listener=lambda event: None,
            background=False,
        )

    def restart(self, *, marks_lost: bool) -> None:
        """Begin anew, with or without what was remembered."""
        restarts = "restarts and has forgotten everything" if marks_lost else "restarts"
        self._site.happened(f"fault: a service {restarts}")
        self._site.story.tell(self.name, restarts)
        self._marks = KeptMarks() if marks_lost else self._marks
        self._signer = self._started()

    def issue(self) -> Token | None:
        """Return a token signed now, None where this signer may not sign."""
        self._read()
        longest = self._ring.policy.token_ttl // timedelta(seconds=1)
        ttl = self._site.dice.choice((None, timedelta(seconds=self._site.dice.randint(1, longest))))
        try:
            text = self._signer.sign({"aud": AUDIENCE}, ttl=ttl)
        except KeyvaultJWTError as error:
            self._site.story.tell(self.name, f"can't sign: {error.code}")
            return None
        kid = self._signer.kid
        assert kid is not None
        token = Token.signed(self._ring, kid, text, self._site.now)
        self._site.story.tell(self.name, f"signs with {kid} for {token.expires - self._site.now} ms")
        return token

    def _read(self) -> None:
        """Read the key as if it had been done some time ago, or not at all."""
        now = self._site.now
        earliest = max(self._view.last, now - self._ring.policy.timing(0).signer_lease)
        when = self._site.dice.choice((now, earliest, self._site.dice.randint(min(earliest, now), now), None))
        if when is not None:
            with self._clock.back_at(when):
                self._signer.refresh()
