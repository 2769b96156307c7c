"""Tally: what the fleet reported, counted, and judged by what was promised.

Two counts must be 0: tokens refused though they had not expired and their key was not revoked,
and acceptances of a revoked key after the bound that the revocation stated.  So that these say
something, it is counted, too, how much each verifier judged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from ..clock import Instant
from .messages import Issued, Occasion, Unanswered, Unsigned, Verdict
from .outage import Outage


@dataclass(frozen=True, slots=True)
class Revocation:
    """A revoked key: when its revocation began, when its removal was seen, and the bound then stated."""

    kid: str
    began: Instant
    removed: Instant | None = None
    bound: Instant | None = None


@dataclass
class Tally:
    """The counts; reports come in from one thread, and in any order."""

    issued: dict[str, Issued] = field(default_factory=dict)
    unsigned: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    accepted: Counter[tuple[str, Occasion]] = field(default_factory=Counter)
    revocation: Revocation | None = None
    outages: list[Outage] = field(default_factory=list)
    _heard: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _early: defaultdict[str, list[tuple[str, Verdict]]] = field(default_factory=lambda: defaultdict(list))
    _proven: set[tuple[str, str]] = field(default_factory=set)
    _kids: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _refusals: list[tuple[str, Verdict]] = field(default_factory=list)
    _watched: list[tuple[str, Verdict]] = field(default_factory=list)

    # --- hearing -----------------------------------------------------------------------------

    def hear(self, member: str, report: object) -> None:
        """Count one report of a member."""
        if isinstance(report, Verdict):
            self._take(member, report)
        elif isinstance(report, Issued):
            self._note(report)
        elif isinstance(report, Unsigned):
            self.unsigned[report.code] += 1
        elif isinstance(report, Unanswered):
            self.unanswered[member] += 1

    def _take(self, member: str, verdict: Verdict) -> None:
        """Count a verdict on a token of our signers; any other's waits, perhaps for ever."""
        if verdict.jti in self.issued:
            self._judge(member, verdict)
        else:
            self._early[verdict.jti].append((member, verdict))

    def _note(self, issued: Issued) -> None:
        self.issued[issued.jti] = issued
        for member, verdict in self._early.pop(issued.jti, ()):
            self._judge(member, verdict)

    def _judge(self, member: str, verdict: Verdict) -> None:
        # A token that is refused once it has expired was not judged: that is no news of its key.
        if verdict.accepted or verdict.ended < verdict.expires:
            self._heard[verdict.jti].add(member)
        if self.revocation is not None and verdict.kid == self.revocation.kid:
            self._watched.append((member, verdict))
        if not verdict.accepted:
            self._refusals.append((member, verdict))
        elif verdict.occasion is not Occasion.SIGNATURE:
            self.accepted[member, verdict.occasion] += 1
            self._kids[verdict.kid].add(member)
            self._proven.add((member, verdict.jti))

    # --- the two that must be 0 ----------------------------------------------------------------

    @property
    def refused_though_valid(self) -> list[tuple[str, Verdict]]:
        """The refusals of tokens that had not expired by then, and whose key was not revoked by then."""
        return [
            (member, verdict)
            for member, verdict in self._refusals
            if verdict.ended < verdict.expires and not self._revoked_by(verdict)
        ]

    @property
    def accepted_past_bound(self) -> list[tuple[str, Verdict]]:
        """The acceptances of the revoked key that were decided after the stated bound."""
        return [(member, verdict) for member, verdict in self.past_bound if verdict.accepted]

    def _revoked_by(self, verdict: Verdict) -> bool:
        revocation = self.revocation
        return revocation is not None and verdict.kid == revocation.kid and verdict.ended >= revocation.began

    # --- what they rest on ---------------------------------------------------------------------

    @property
    def past_bound(self) -> list[tuple[str, Verdict]]:
        """Every verdict on the revoked key that was decided wholly after the bound."""
        bound = None if self.revocation is None else self.revocation.bound
        return [] if bound is None else [pair for pair in self._watched if pair[1].began > bound]

    @property
    def last_acceptance(self) -> Instant | None:
        """When the revoked key was accepted for the last time, if ever after its revocation began."""
        return max((verdict.began for _, verdict in self._watched if verdict.accepted), default=None)

    @property
    def verdicts(self) -> int:
        """How many times a token was accepted."""
        return self.accepted.total()

    def accepted_on(self, occasion: Occasion) -> int:
        """Return how many tokens were accepted on an occasion."""
        return sum(count for (_, when), count in self.accepted.items() if when is occasion)

    def accepted_by(self, member: str) -> int:
        """Return how many times a verifier accepted a token."""
        return sum(count for (name, _), count in self.accepted.items() if name == member)

    def knows(self, member: str, kid: str) -> bool:
        """Whether a verifier has accepted a token of a key."""
        return member in self._kids[kid]

    def judged_by_all(self, members: frozenset[str]) -> int:
        """Return how many of the issued tokens every one of the members gave a verdict on in time."""
        return sum(members <= self._heard[jti] for jti in self.issued)

    @property
    def owed(self) -> list[str]:
        """The ids of the tokens that every verifier owes a verdict: none that lived in an outage."""
        return [
            jti
            for jti, issued in self.issued.items()
            if not any(outage.excuses(issued) for outage in self.outages)
        ]

    def judged_by(self, member: str) -> int:
        """Return how many of the owed verdicts a verifier gave in time."""
        return sum(member in self._heard[jti] for jti in self.owed)

    def tried_by(self, member: str) -> int:
        """Return how often a verifier judged, past the bound, a token that it had accepted before."""
        return sum(
            name == member and (name, verdict.jti) in self._proven for name, verdict in self.past_bound
        )
