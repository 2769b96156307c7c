"""A world drawn from a seed: keyrings, rotators, operators and services on one store."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from keyvault_jwt import document
from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from tests.simulation.agenda import Agenda
from tests.simulation.disasters import Disasters
from tests.simulation.drawn_policy import draw_policy, draw_terms, log_uniform
from tests.simulation.faults import Faults
from tests.simulation.fleet import Fleet
from tests.simulation.operator_desk import OperatorDesk
from tests.simulation.ring import Ring
from tests.simulation.scheduler import Scheduler
from tests.simulation.seeded_keys import PUBLIC_KEY, SECRET_BYTES, SeededKeys
from tests.simulation.shared_store import SharedStore
from tests.simulation.signing_service import SigningService
from tests.simulation.site import Site
from tests.simulation.story import Story
from tests.simulation.verifying_service import VerifyingService

START: Instant = 1_767_225_600_000
WEEK: Milliseconds = 7 * 86_400_000
YEAR: Milliseconds = 31_557_600_000
_MANY = 10
_CROWDED, _CROWD = 2_000, 999
"""One world of so many, and which, has hundreds of keyrings."""
_CHEAP = ("Ed25519", "Ed25519", "HS256", "ES256")


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is given from outside: `years` 0 means a few rotations, `keyrings` 0 any number."""

    seed: int
    years: float = 0.0
    keyrings: int = 0
    broken: str = ""


class SimulatedWorld:
    """Everything there is, and what is going to happen to it by itself."""

    def __init__(self, scenario: Scenario, *, whole_story: bool = False) -> None:
        self.scenario = scenario
        self.dice = dice = random.Random(f"keyvault-jwt simulation {scenario.seed}")
        self.agenda = agenda = Agenda(START)
        self.story = Story(agenda, whole=whole_story)
        staleness = dice.choice((0, 0, 0, log_uniform(dice, 1, 5_000), 5_000))
        self.store = SharedStore(agenda, staleness, self._landed)
        self.store.ignores_versions = scenario.broken == "cas-ignored"
        self._terms = draw_terms(dice, staleness, WEEK if scenario.years else 0)
        self.site = Site(agenda, self.store, self.story, dice, SeededKeys(dice), self._terms.skew)
        self.rings = [self._ring(number) for number in range(self._how_many())]
        self.site.end = START + self._horizon()
        self.fleets = {ring.name: self._fleet(ring) for ring in self.rings}
        self.operators = OperatorDesk(self.site)
        self.disasters = Disasters(self.site, self.operators)
        numbers = range(1, 1 + dice.choice((1, 1, 2, 3)))
        self.schedulers = [self._scheduler(number) for number in numbers]

    # --- what is there -----------------------------------------------------------------------

    def _how_many(self) -> int:
        if self.scenario.keyrings:
            return self.scenario.keyrings
        if self.scenario.seed % _CROWDED == _CROWD and not self.scenario.years:
            self.site.happened("world: hundreds of keyrings")
            return self.dice.randint(100, 300)
        return self.dice.choice((1, 1, 1, 1, 1, 1, 1, 2, 3))

    def _ring(self, number: int) -> Ring:
        algorithm = self.dice.choice((*_CHEAP, self.dice.choice((*PUBLIC_KEY, *SECRET_BYTES))))
        policy = draw_policy(self.dice, self._terms, algorithm)
        terms = replace(
            self._terms, shortest_rotation=policy.timing(0).rotate_every // (2 if self.scenario.years else 8)
        )
        ring = Ring(f"ring-{number}", terms, policy, Faults(self.dice, 1), self.site.counts.happened)
        ring.faults = Faults.drawn(self.dice, ring.scale)
        return ring

    def _horizon(self) -> Milliseconds:
        if self.scenario.years:
            return round(self.scenario.years * YEAR)
        shortest = min(ring.policy.timing(0).rotate_every for ring in self.rings)
        longest = 150 if len(self.rings) > 1 else self.dice.choice((150, 150, 150, 600))
        rotations = 0.5 if len(self.rings) > _MANY else log_uniform(self.dice, 30, longest) / 100
        return round(shortest * rotations)

    def _scheduler(self, number: int) -> Scheduler:
        return Scheduler(f"scheduler {number}", self.site, self.rings, self.disasters.alarmed)

    def _fleet(self, ring: Ring) -> Fleet:
        few, name, site = len(self.rings) > _MANY, ring.name, self.site
        hoards = 3.0 if self.scenario.broken == "verifier-hoards" else 1.0
        signers = range(1, 1 + (1 if few else self.dice.choice((1, 2))))
        verifiers = range(1, 1 + (1 if few else self.dice.choice((1, 2, 3))))
        return Fleet(
            ring,
            site,
            [SigningService(f"{name} signer {n}", ring, site) for n in signers],
            [VerifyingService(f"{name} verifier {n}", ring, site, hoards=hoards) for n in verifiers],
        )

    # --- what happens ------------------------------------------------------------------------

    def _landed(self, name: DocumentName, draft: Draft) -> None:
        ring, fleet = self._by_name(name.ring), self.fleets[name.ring]
        signed = ring.signing
        self.story.tell("store", f"{name} is now at revision {draft.revision}", draft.data)
        ring.landed(name, draft, self.agenda.now)
        if name.kind is DocumentKind.SIGNING and ring.signing != signed:
            fleet.signing_changed()
        elif name.kind is ring.shown_in:
            fleet.withdrawn()

    def _by_name(self, name: str) -> Ring:
        return self.rings[int(name.removeprefix("ring-"))]

    def unsettled(self, ring: Ring) -> str | None:
        """Return which derived document does not say what the keyring says, None if all do."""
        assert ring.keyring is not None
        for kind in document.derived_kinds(ring.keyring):
            name = DocumentName(ring.name, kind)
            found = self.store.read(name)
            if found is None:
                return str(name)
            there = document.decode_derived(name, found.draft.data)
            if not document.says_the_same(there, document.derive(kind, ring.keyring)):
                return str(name)
        return None
