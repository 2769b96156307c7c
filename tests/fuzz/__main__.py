"""python -m tests.fuzz: mutate valid tokens and key sets: nobody is to be fooled, and nothing to break."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser, Namespace

from tests.fuzz.breakages import BREAKAGES
from tests.fuzz.campaign import batches
from tests.fuzz.judging import SHARE, Counts, Finding, story
from tests.fuzz.leniencies import NOT_LOOKED_AT
from tests.fuzz.strictness import STRICTER

_MOST_SHOWN = 30


def main() -> int:
    """Run what the command line asks for, and return the exit status: 1 if there is a finding."""
    asked = _arguments()
    if asked.number is not None:
        return _replay(asked)
    counts, began, told = Counts(), time.monotonic(), time.monotonic()
    for batch in batches(asked.seed, asked.mutants, asked.seconds, asked.workers, asked.broken):
        shown = len(counts.findings)
        counts.add(batch)
        for finding in counts.findings[shown:_MOST_SHOWN]:
            _show(finding, asked)
        if time.monotonic() > told + 10:
            told = time.monotonic()
            print(f"… {last_line(counts)}", file=sys.stderr, flush=True)
    _sum_up(counts, asked, time.monotonic() - began)
    return 1 if counts.findings else 0


def last_line(counts: Counts) -> str:
    """Return the figures in one line."""
    return (
        f"mutants={counts.mutants} false_accepts={counts.found('false accept')} "
        f"crashes={counts.found('crash')} "
        f"disagreements={counts.disagreements} explained={counts.explained}"
    )


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--mutants", type=int, default=0, help="how many; without a limit of time, a million")
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after so many seconds")
    parser.add_argument("--seed", type=int, default=1, help="what all is drawn from")
    parser.add_argument("--number", type=int, help="replay this one mutant of the seed, and print it")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument(
        "--broken", default="", choices=("", *BREAKAGES), help="break a part, to see it found"
    )
    asked = parser.parse_args()
    if not asked.mutants and not asked.seconds:
        asked.mutants = 1_000_000
    return asked


def _replay(asked: Namespace) -> int:
    told, counts = story(asked.seed, asked.number, asked.broken)
    print(told)
    findings = [finding for finding in counts.findings if finding.number == asked.number]
    for finding in findings:
        print(f"{finding.oracle}: {finding.what}")
    return 1 if findings else 0


def _show(finding: Finding, asked: Namespace) -> None:
    words = ["python -m tests.fuzz", f"--seed {asked.seed}", f"--number {finding.number}"]
    words += [f"--broken {asked.broken}"] if asked.broken else []
    print(
        f"\n{finding.oracle} (mutant {finding.number}): {finding.what}\nreplay: {' '.join(words)}\n",
        flush=True,
    )


def _sum_up(counts: Counts, asked: Namespace, seconds: float) -> None:
    whys = {rule.name: rule.why for rule in (*NOT_LOOKED_AT, *STRICTER)}
    for rule, times in sorted(counts.rules.items()):
        print(f"  {times:>8}  {rule} - {whys[rule.split(': ')[1]]}")
    for name, times in sorted(counts.refusals.items()):
        print(f"  {times:>8}  refused: {name}")
    never = [rule for rule in whys if not any(rule == used.split(": ")[1] for used in counts.rules)]
    if never:
        print(f"rules that explained nothing: {', '.join(never)}")
    rate, others = counts.mutants / max(seconds, 0.001), counts.compared / max(counts.mutants, 1)
    print(f"accepted={counts.accepted} mutations={len(counts.mutations)} ours=100% ", end="")
    print(
        f"others={others:.1%} (1 in {SHARE}, and all that we accept) "
        f"false_refusals={counts.found('false refusal')}"
    )
    print(f"seed={asked.seed} seconds={seconds:.0f} workers={asked.workers} mutants/s={rate:.0f}")
    print(last_line(counts))


if __name__ == "__main__":
    sys.exit(main())
