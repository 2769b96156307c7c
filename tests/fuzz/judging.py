"""One batch of mutants judged by everybody; what comes out depends on the seed and the batch alone."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any

from keyvault_jwt.fast import AWSLC
from tests.fuzz.breakages import broken_part
from tests.fuzz.explained import explanation
from tests.fuzz.lenient import bytes_of
from tests.fuzz.model import Reading, read
from tests.fuzz.model_keys import ModelSet, read_set
from tests.fuzz.mutant import Maker, Mutant
from tests.fuzz.ours import Ours, Verdict
from tests.fuzz.rule import Case
from tests.fuzz.theirs import JUDGES, Theirs, standing_still

BATCH = 500
"""Mutants that share verifiers, which get warm from one to the next."""
SHARE = 10
"""The others judge one mutant in so many, and every one that we accept."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What fails the run: which oracle says so, of which mutant, and why."""

    oracle: str
    number: int
    what: str


@dataclass(slots=True)
class Counts:
    """Numbers that add up over batches; `rules` counts by rule, `happened` by mutation and by refusal."""

    mutants: int = 0
    accepted: int = 0
    compared: int = 0
    disagreements: int = 0
    explained: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    mutations: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: Counts) -> None:
        """Add another batch's numbers to these."""
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            else:
                setattr(self, each.name, mine + theirs)

    def found(self, oracle: str) -> int:
        """Return how many findings are of the oracle."""
        return sum(finding.oracle == oracle for finding in self.findings)


class Judging:
    """Judges batches of one seed; keys and valid tokens are made once."""

    def __init__(self, seed: int, broken: str = "") -> None:
        self.maker = Maker(seed)
        self._broken = broken
        self._theirs = [Theirs(judge()) for judge in JUDGES]
        self._sets: dict[bytes, ModelSet] = {}

    def batch(self, number: int, size: int = BATCH) -> Counts:
        """Return what came of the first `size` mutants of a batch."""
        counts, ours, fast = Counts(), Ours(), Ours(AWSLC())
        with standing_still(), broken_part(self._broken):
            for mutant in (self.maker.make(number * BATCH + offset) for offset in range(size)):
                self._judge(mutant, ours, fast, counts)
        self.maker.forget()
        return counts

    def _judge(self, mutant: Mutant, ours: Ours, fast: Ours, counts: Counts) -> None:
        counts.mutants += 1
        counts.mutations.update(set(mutant.trail[2:]))
        verdict, reading = ours.judge(mutant), self._reading(mutant)
        counts.accepted += verdict.accepted
        if not verdict.accepted:
            counts.refusals[verdict.reason] += 1
        for oracle, what in _contradictions(mutant, verdict, reading, ours):
            counts.findings.append(Finding(oracle, mutant.number, what))
        by_fast = fast.judge(mutant)
        if by_fast != verdict:
            what = f"{_said(verdict)} by cryptography, {_said(by_fast)} by AWS-LC"
            counts.findings.append(Finding("engine", mutant.number, what))
        if verdict.accepted or mutant.number % SHARE == 0:
            counts.compared += 1
            self._compare(mutant, verdict, reading, counts)

    def _reading(self, mutant: Mutant) -> Reading:
        keys = self._sets.get(mutant.keys)
        if keys is None:
            keys = read_set(mutant.keys, symmetric=mutant.symmetric)
            if mutant.whole_keys:
                self._sets[mutant.keys] = keys
        return read(mutant, keys, self.maker.signed)

    def _compare(self, mutant: Mutant, verdict: Verdict, reading: Reading, counts: Counts) -> None:
        for judge in self._theirs:
            theirs = judge.judge(mutant)
            if theirs.accepted == verdict.accepted:
                continue
            counts.disagreements += 1
            rules = explanation(Case(judge.name, mutant, reading, theirs))
            if rules:
                counts.explained += 1
                counts.rules.update(f"{judge.name}: {rule}" for rule in rules)
            else:
                said = f"{judge.name} says {_said(theirs)}, we say {_said(verdict)}"
                what = f"{said}; reasons to refuse: {sorted(reading.reasons) or 'none'}"
                counts.findings.append(Finding("disagreement", mutant.number, what))


def _contradictions(mutant: Mutant, ours: Verdict, reading: Reading, judge: Ours) -> list[tuple[str, str]]:
    """Return what is wrong with our own verdict, by the model and by asking again."""
    if ours.crash:
        return [("crash", ours.crash)]
    wrong = []
    if ours.accepted:
        reasons = reading.reasons if reading.sure else reading.reasons - {"ambiguous"}
        if reasons:
            wrong.append(("false accept", f"accepted in spite of {sorted(reasons)}"))
        if not _same(ours.claims, reading.parts[1] if reading.parts else b""):
            wrong.append(("false accept", "the claims are not those of the payload"))
    elif not reading.reasons and reading.sure:
        wrong.append(("false refusal", f"refused ({ours.reason}), and nothing is wrong with it"))
    if (ours.accepted or mutant.number % SHARE == 0) and not ours.reason.startswith("set:"):
        again = judge.judge_again(mutant, ours)
        if again:
            wrong.append(("false accept", f"not the same verdict each time: {again}"))
    return wrong


def _same(claims: Any, segment: bytes) -> bool:
    return bool(json.dumps(claims) == json.dumps(json.loads(bytes_of(segment))))


def _said(verdict: Verdict) -> str:
    return "yes" if verdict.accepted else f"no ({verdict.reason or verdict.crash})"


def story(seed: int, number: int, broken: str = "") -> tuple[str, Counts]:
    """Return all about one mutant, judged after those before it in its batch, and what came of these."""
    judging, first = Judging(seed, broken), number - number % BATCH
    counts = judging.batch(first // BATCH, number - first + 1)
    judging.maker.forget()
    return str(judging.maker.make(number)), counts
