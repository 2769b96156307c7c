"""The services of one keyring, and the moments at which they are asked to sign and to verify."""

from __future__ import annotations

from functools import partial

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.verification_errors import InvalidToken, KeysUnavailable
from tests.simulation.ring import Ring
from tests.simulation.signing_service import SigningService
from tests.simulation.site import Site
from tests.simulation.story import Violation
from tests.simulation.tokens import Token
from tests.simulation.verifying_service import VerifyingService


class Fleet:
    """Signers and verifiers of one keyring, used when something has changed and now and then."""

    def __init__(
        self, ring: Ring, site: Site, signers: list[SigningService], verifiers: list[VerifyingService]
    ) -> None:
        self.ring, self._site = ring, site
        self._agenda, self._story, self._dice, self._counts = site.agenda, site.story, site.dice, site.counts
        self._signers, self._verifiers = signers, verifiers
        self._thefts: set[str] = set()

    def restart(self) -> None:
        """Restart one service; what it remembered is lost only where nothing was ever undone."""
        services: list[SigningService | VerifyingService] = [*self._signers, *self._verifiers]
        service = self._dice.choice(services)
        service.restart(marks_lost=self.ring.tampering is None and self._dice.random() < 0.5)

    def signing_changed(self) -> None:
        """Sign soon after the key changed, and with the old one at the end of its lease."""
        lease = self.ring.policy.timing(0).signer_lease
        for pause in (1, self._dice.randint(0, lease), lease):
            self._agenda.after(pause, self.issue)

    def issue(self) -> None:
        """Sign a token, and verify it at once, somewhere in its life, and at its very end."""
        if self.ring.over:
            return
        token = self._dice.choice(self._signers).issue()
        if token is None:
            return
        self._counts.issued += 1
        last = self._dice.choice(self._verifiers)
        slow = last.clock.wall() - self._agenda.now
        end = token.expires + self.ring.terms.leeway - 1 - slow
        now = self._agenda.now
        for verifier, when in (
            (self._dice.choice(self._verifiers), now),
            (self._dice.choice(self._verifiers), self._dice.randint(now, max(now, end))),
            (last, end),
        ):
            self._agenda.at(when, partial(self._verify, verifier, token))

    def withdrawn(self) -> None:
        """Let a thief use each key that was revoked and is withdrawn, before and after its bound."""
        for kid in sorted(self.ring.compromised & self.ring.bounds.keys() - self._thefts):
            self._thefts.add(kid)
            bound = self.ring.bounds[kid]
            # It lies behind when the key was withdrawn long before anybody said that it leaked.
            wait = max(0, bound - self._agenda.now)
            for when in (
                self._agenda.now + self._dice.randint(0, wait),
                bound + 1,
                bound + 1 + self._dice.randint(0, 2 * wait),
            ):
                verifier = self._dice.choice(self._verifiers)
                self._agenda.at(when, partial(self._steal, verifier, kid))

    def _steal(self, verifier: VerifyingService, kid: str) -> None:
        if kid in self.ring.privates:
            self._counts.stolen += 1
            self._verify(verifier, Token.forged(self.ring, kid, verifier.clock.wall()))

    def _refused(self, token: Token, *, over: bool) -> None:
        if token.stolen and self._agenda.now > self.ring.bounds.get(token.kid, self._agenda.now):
            self._site.happened("token: stolen: refused after the bound")
        elif over:
            self._site.happened("token: refused after its end")

    def _verify(self, verifier: VerifyingService, token: Token) -> None:
        """Have a token verified, and judge the answer."""
        name, ring = verifier.name, self.ring
        over = verifier.clock.wall() >= token.expires + ring.terms.leeway
        forgiven = ring.forgives(token.kid, token.issued, self._agenda.now)
        of = f"{'a stolen token' if token.stolen else 'a token'} of {token.kid}"
        try:
            verifier.verify(token.text)
        except KeysUnavailable:
            self._counts.without_keys += 1
            self._story.tell(name, f"has no usable keys for {of}")
        except InvalidToken as error:
            self._counts.refused += 1
            self._refused(token, over=over)
            self._story.tell(name, f"refuses {of}: {error.code}")
            if not (over or token.stolen or token.kid in ring.compromised or forgiven):
                why = f"{token.kid} is not revoked, nor has it expired: {error.code}"
                raise Violation(f"{ring.name}: {name} refused a valid token: {why}") from None
        else:
            self._counts.verified += 1
            kept = "stolen: accepted before the bound" if token.stolen else "accepted"
            self._site.happened(f"token: {kept}")
            self._story.tell(name, f"accepts {of}")
            bound = ring.bounds.get(token.kid)
            if over:
                raise Violation(f"{ring.name}: {name} accepted an expired token of {token.kid}")
            if token.kid in ring.compromised and bound is not None and self._agenda.now > bound:
                late: Milliseconds = self._agenda.now - bound
                raise Violation(
                    f"I4: {ring.name}: {name} accepted the revoked {token.kid} {late} ms after its bound"
                )
