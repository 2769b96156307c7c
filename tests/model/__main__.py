"""The model check: `python -m tests.model`, or `make model`; exits with 1 where a promise is broken.

Without options all courses are searched at their large bounds, and then every seeded fault;
`--small` searches the small bounds alone, `--course NAME` one course at its small bound, and
`--seed NAME` one fault.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from array import array
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import keyvault_jwt
from keyvault_jwt.errors import KeyvaultJWTError
from tests.model.courses import Course, courses
from tests.model.exercised import EXPECTED
from tests.model.search import Violation
from tests.model.seeded import BROKEN, Verdict, tried
from tests.model.seeds import seeds
from tests.model.story import told

WORKERS = 2
FUTURES = {"small": 32, "large": 64}
"""How many quiet states of each course are lived on."""


@dataclass(frozen=True, slots=True)
class Searched:
    """What one course came to, in a form that goes from process to process."""

    name: str
    states: bytes
    happened: frozenset[str]
    futures: int
    commits: int
    seconds: float
    whole: bool
    violation: Violation | None
    mebibytes: int


def searched(name: str, size: str) -> Searched:
    """Return what the search of one course found."""
    course = next(course for course in courses() if course.name == name)
    try:
        search = course.search(getattr(course, size), FUTURES[size])
    except (AssertionError, KeyvaultJWTError) as failure:
        return Searched(
            name, b"", frozenset(), 0, 0, 0, False, Violation(f"on the way there: {failure}", ()), 0
        )
    found = search.run()
    return Searched(
        name,
        array("q", found.states).tobytes(),
        frozenset(found.happened),
        found.futures,
        found.commits,
        found.seconds,
        found.whole,
        found.violation,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    )


def explored(size: str) -> tuple[int, int]:
    """Search all courses, tell of each, and return the counts of distinct states and of failures."""
    states: set[int] = set()
    happened: set[str] = set()
    failures, most = 0, 0
    # A process each, so that one search's memory is given back before the next; forked, so that all
    # hash alike.
    with get_context("fork").Pool(WORKERS, maxtasksperchild=1) as pool:
        for done in pool.imap_unordered(partial(searched, size=size), _names(size), chunksize=1):
            states.update(array("q", done.states))
            happened |= done.happened
            most = max(most, done.mebibytes)
            failures += _tell(done, _course(done.name), size)
    missing = sorted(EXPECTED - happened)
    print(f"exercised {len(EXPECTED) - len(missing)} of {len(EXPECTED)} transitions, events and promises:")
    print("".join(f"  {name}\n" for name in sorted(happened & EXPECTED)), end="")
    print("".join(f"  NEVER: {name}\n" for name in missing), end="")
    print(f"the largest of {WORKERS} processes took {most} MiB", flush=True)
    return len(states), failures + len(missing)


def _names(size: str) -> list[str]:
    """Return the courses' names, those with most to do first, so that both processors end together."""
    ordered = sorted(courses(), key=lambda course: -getattr(course, size).most)
    return [course.name for course in ordered]


def _course(name: str) -> Course:
    return next(course for course in courses() if course.name == name)


def _tell(done: Searched, course: Course, size: str) -> int:
    """Print what a course came to; return 1 for a failure."""
    extent = "up to the broken promise" if done.violation is not None else "up to its bound of points"
    extent = "everything within its bound" if done.whole else extent
    count = len(done.states) // 8
    print(f"{done.name}: {count} states, {extent}; {done.futures} futures lived on", end="")
    print(f"; reached {done.seconds:.0f} s and {done.commits} commits", flush=True)
    if done.violation is not None:
        print(told(done.violation), flush=True)
        return 1
    if size == "large" and course.whole and not done.whole:
        print("  this course is to be searched whole, and its bound of points cut it off")
        return 1
    return 0


def seeded(names: list[str]) -> tuple[int, int]:
    """Try the faults of these names (all, if none is given); return how many were found, of how many."""
    chosen = [seed for seed in seeds() if seed.name in names or not names]
    found = 0
    with ThreadPoolExecutor(WORKERS) as pool:
        for number, verdict in enumerate(pool.map(tried, chosen), 1):
            found += verdict.found
            _tell_seed(number, verdict)
    return found, len(chosen)


def _tell_seed(number: int, verdict: Verdict) -> None:
    seed = verdict.seed
    print(f"\n{number}. {seed.name} ({', '.join(sorted({edit.file for edit in seed.edits}))})")
    print(verdict.story if verdict.found else f"  NOT FOUND in {seed.course}:\n{verdict.story}", flush=True)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--small", action="store_true", help="search the small bounds, and seed nothing")
    parser.add_argument("--course", help="search one course at its small bound")
    parser.add_argument("--package", help="where the package must come from")
    parser.add_argument("--seed", action="append", default=[], help="try only this fault")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run the check and return the exit status."""
    options = _options(arguments)
    if options.course:
        if options.package and Path(keyvault_jwt.__file__).parents[1] != Path(options.package).resolve():
            raise SystemExit(f"the package comes from {keyvault_jwt.__file__}")
        done = searched(options.course, "small")
        return BROKEN * _tell(done, _course(done.name), "small")
    if options.seed:
        found, of = seeded(options.seed)
        return found != of
    begun = time.monotonic()
    states, failures = explored("small" if options.small else "large")
    seconds = time.monotonic() - begun
    found, of = (0, 0) if options.small else seeded([])
    told_seeds = "" if options.small else f" seeded={found}/{of}"
    print(f"\nstates={states} violations={failures}{told_seeds} seconds={seconds:.0f}")
    return bool(failures) or found != of


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Hashes are names here: with one seed the same search takes the same way in every run.
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.model", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    sys.exit(main(sys.argv[1:]))
