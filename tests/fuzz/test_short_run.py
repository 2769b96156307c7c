"""A short fuzz finds nothing, and every part that is broken on purpose; `make fuzz` is the long one."""

from __future__ import annotations

import pytest

from tests.fuzz.breakages import BREAKAGES
from tests.fuzz.campaign import batches
from tests.fuzz.judging import BATCH, Counts, Judging, story

_SHORT = 6_000


@pytest.fixture(scope="module")
def counts() -> Counts:
    """A short run, whole."""
    added = Counts()
    for batch in batches(seed=20, mutants=_SHORT, seconds=0, workers=1):
        added.add(batch)
    return added


def test_nothing_is_found_in_a_short_run(counts: Counts) -> None:
    """No mutant is wrongly accepted or refused, none crashes, and every disagreement has its rule."""
    assert counts.findings == []
    assert counts.mutants == _SHORT
    assert counts.explained == counts.disagreements > 0


def test_a_short_run_reaches_both_verdicts_by_many_ways(counts: Counts) -> None:
    """A fuzzer that makes only rubbish, or no rubbish, proves nothing."""
    assert counts.accepted > _SHORT // 20
    assert len(counts.mutations) > 100
    assert len(counts.refusals) > 12


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_part_broken_on_purpose_is_found(name: str) -> None:
    """Each breakage becomes a finding within a few batches: of one engine by the other, else without it."""
    judging, by_the_other = Judging(20, name), name.startswith("fast-")
    batches_of_findings = (judging.batch(number).findings for number in range(_SHORT // BATCH))
    assert any(
        (found.oracle == "engine") is by_the_other for findings in batches_of_findings for found in findings
    )


def test_a_mutant_is_replayed_by_its_number() -> None:
    """The seed and the number give back the mutant and its findings, in any order of asking."""
    judging = Judging(20, "any-signature")
    finding = next(found for number in range(_SHORT // BATCH) for found in judging.batch(number).findings)
    _, replayed = story(20, finding.number, "any-signature")
    assert finding in replayed.findings
