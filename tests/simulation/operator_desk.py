"""Operators: at odd times they ask for whatever the command line knows, and sometimes twice."""

from __future__ import annotations

from collections.abc import Callable

from keyvault_jwt import command
from keyvault_jwt.clock import Instant
from keyvault_jwt.decision import Command
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.report import Report
from tests.simulation.drawn_policy import draw_policy, log_uniform
from tests.simulation.ring import Ring
from tests.simulation.rotator import Rotator
from tests.simulation.seeded_keys import PUBLIC_KEY
from tests.simulation.site import Site

_EAGER = 5
"""How often an operator repeats a command that failed."""


class OperatorDesk:
    """One operator's machine."""

    def __init__(self, site: Site) -> None:
        self.rotator = Rotator("operator", site)
        self._agenda, self._dice, self._counts, self._keys = site.agenda, site.dice, site.counts, site.keys

    def at(self, when: Instant, ring: Ring) -> None:
        """Have something asked at an instant."""
        self._agenda.at(when, lambda: self._ask(ring))

    def create(self, ring: Ring) -> None:
        """Make the keyring, in spite of whatever goes wrong."""
        made = command.Create(ring.name, ring.issuer, ring.first_policy)
        self._run(ring, made, tries=1 << 30)

    def _ask(self, ring: Ring) -> None:
        if ring.keyring is None or ring.quiet:
            return
        asked = self._some_command(ring, ring.keyring)
        self._counts.commands += 1
        self._run(ring, asked, tries=_EAGER)
        if self._dice.random() < 0.15:
            again = log_uniform(self._dice, 1, max(2, ring.scale))
            self._agenda.after(again, lambda: self._run(ring, asked, tries=1))

    def _run(self, ring: Ring, asked: Command, *, tries: int) -> None:
        def ended(outcome: Report | KeyvaultJWTError | None) -> None:
            if not isinstance(outcome, Report) and tries > 1:
                pause = max(1, ring.scale // 64)
                self._agenda.after(pause, lambda: self._run(ring, asked, tries=tries - 1))

        needed = ring.keyring is None if isinstance(asked, command.Create) else not ring.quiet
        if needed:
            self.rotator.begin(asked, ring, ended)

    def _some_command(self, ring: Ring, keyring: Keyring) -> Command:
        dice, active = self._dice, keyring.active
        signing = "" if active is None else active.kid
        alive = [record.kid for record in keyring.records if not record.is_tombstone]
        possible: list[Callable[[], Command]] = [
            lambda: command.Rotate(signing),
            lambda: command.Rotate(signing, emergency=True),
            lambda: command.Revoke(signing or alive[0], "leaked"),
            lambda: command.Revoke(dice.choice(alive), "leaked"),
            lambda: command.Rollback(signing or None),
            lambda: command.ChangePolicy(draw_policy(dice, ring.terms, keyring.algorithm)),
            lambda: command.Import(self._keys.make(keyring.algorithm)),
        ]
        if not ring.symmetric:
            possible.append(lambda: command.Migrate(dice.choice(PUBLIC_KEY), confirm=dice.random() < 0.8))
        return dice.choice(possible)()
