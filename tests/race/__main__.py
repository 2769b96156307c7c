"""`python -m tests.race`: 64 processes race for one rotation, 100 times; one of them wins each."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

from tests.race.course import Course, course
from tests.race.ground import GROUNDS

ROUNDS_ON_ONE_GROUND = {"aws": 10}
"""moto keeps every version of a secret for ever, and looks at all of them at each request."""


def tracks(store: str, rounds: int, processes: int) -> Iterator[Course]:
    """Yield where each round is run: a new keyring and server where one would grow too slow."""
    while rounds > 0:
        here = min(rounds, ROUNDS_ON_ONE_GROUND.get(store, rounds))
        with GROUNDS[store]() as ground, course(ground, processes) as track:
            for _ in range(here):
                yield track
        rounds -= here


def main() -> int:
    """Race and count; 1 if a round had not exactly one winner, or anybody met an error."""
    parser = argparse.ArgumentParser(prog="python -m tests.race")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--processes", type=int, default=64)
    parser.add_argument("--store", choices=GROUNDS, default="file", help="what they race on")
    asked = parser.parse_args()
    winners = errors = raced = gave_up = 0
    for number, track in enumerate(tracks(asked.store, asked.rounds, asked.processes), 1):
        began = time.monotonic()
        result = track.run()
        winners += len(result.winners) == 1
        errors += len(result.errors)
        raced += result.raced
        gave_up += len(result.gave_up)
        print(
            f"round {number}: won by {', '.join(map(str, result.winners))} of {result.raced} that raced,"
            f" told by {result.told}, {time.monotonic() - began:.2f} s",
            *dict.fromkeys((*result.errors, *result.gave_up)),
            sep="\n    ",
            flush=True,
        )
    print(f"found the rotation due: {raced}, gave up after losing too often: {gave_up}")
    print(f"rounds={asked.rounds} processes={asked.processes} winners={winners} errors={errors}")
    return 0 if winners == asked.rounds and not errors else 1


if __name__ == "__main__":
    sys.exit(main())
