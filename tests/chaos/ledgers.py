"""Ledgers: what each scheduler says of its writes and of what it won, and whether that can be true."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from uuid import UUID

from keyvault_jwt.demo.member import Member
from keyvault_jwt.demo.messages import Left, Report
from keyvault_jwt.errors import StoreTimeout
from keyvault_jwt.store import DocumentKind
from tests.chaos.chronicle import Past
from tests.chaos.reports import WON, Answered, Claimed, Failed, SchedulerReport, Sent

_UNCERTAIN = {WON, StoreTimeout.code, "unknown"}
_LONGEST = 30.0


class Ledgers:
    """An inbox for the schedulers' reports, which notes each as it comes in; thread-safe."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._open: set[tuple[str, str, str, UUID]] = set()
        self._waiting_for: str | None = None
        self._outcomes: defaultdict[tuple[str, int, UUID], set[str]] = defaultdict(set)
        self._rivals: defaultdict[tuple[str, int], set[UUID]] = defaultdict(set)
        self._claims: defaultdict[tuple[str, int], list[tuple[str, Claimed]]] = defaultdict(list)
        self.failures: Counter[str] = Counter()
        self.left: list[Member] = []

    def put(self, report: tuple[Member, Report | SchedulerReport]) -> None:
        """Note one report of a scheduler."""
        member, told = report
        with self._news:
            if isinstance(told, Sent):
                self._open.add((member.name, told.ring, told.kind, told.write_id))
                if told.kind == DocumentKind.AUTHORITY:
                    self._rivals[told.ring, told.revision].add(told.write_id)
                # A promotion changes what signs, so only the rotations' writes are waited for.
                if told.kind == self._waiting_for and (told.promotes or told.kind != "authority"):
                    self._waiting_for = None
                    self._news.notify_all()
            elif isinstance(told, Answered):
                self._open.discard((member.name, told.ring, told.kind, told.write_id))
                if told.kind == DocumentKind.AUTHORITY:
                    self._outcomes[told.ring, told.revision, told.write_id].add(told.outcome)
            elif isinstance(told, Claimed):
                self._claims[told.ring, told.seq].append((member.name, told))
            elif isinstance(told, Failed):
                self.failures[told.code] += 1
            elif isinstance(told, Left):
                self._open = {sent for sent in self._open if sent[0] != member.name}
                self.left += [] if member.expected_to_end else [member]

    def await_rotation(self, kind: str) -> None:
        """Return as soon as a scheduler sends such a document's write of a rotation, or at `release`."""
        with self._news:
            self._waiting_for = kind
            self._news.wait_for(lambda: self._waiting_for is None, _LONGEST)

    def release(self) -> None:
        """Let nobody wait any longer."""
        with self._news:
            self._waiting_for = None
            self._news.notify_all()

    @property
    def writing(self) -> bool:
        """Whether a write was sent and not answered yet."""
        with self._news:
            return bool(self._open)

    @property
    def claims(self) -> int:
        """How many entries were claimed."""
        return len(self._claims)

    def uncertain(self) -> int:
        """Return of how many of the authority's writes an answer never came."""
        return sum(StoreTimeout.code in told for told in self._outcomes.values())

    def races(self) -> list[tuple[str, int]]:
        """Return each revision, with its keyring, that several different writes were to be."""
        return [at for at, writes in self._rivals.items() if len(writes) > 1]

    def contradictions(self, pasts: Mapping[str, Past]) -> Iterator[str]:
        """Yield each write that was won and is not there, or lost and is; and each entry won twice."""
        for (ring, revision, write_id), told in self._outcomes.items():
            committed = pasts[ring].commits.get(revision) == write_id
            if WON in told and not committed:
                yield f"{ring}: the write {write_id} was told to be revision {revision}, and is not"
            if committed and not told & _UNCERTAIN:
                yield f"{ring}: revision {revision} is there, though its write failed by {sorted(told)}"
        for (ring, seq), claims in self._claims.items():
            if len(claims) > 1:
                yield f"{ring}: entry {seq} was won by {', '.join(name for name, _ in claims)}"
            entry = pasts[ring].entries.get(seq)
            for name, claim in claims:
                if entry is None or (entry.action, entry.kid) != (claim.action, claim.kid):
                    yield f"{ring}: {name} says that it wrote {claim.action} of {claim.kid} as entry {seq}"
