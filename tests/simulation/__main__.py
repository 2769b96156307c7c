"""python -m tests.simulation: live through random worlds, or replay one of them."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser, Namespace

from tests.simulation.breakages import BREAKAGES
from tests.simulation.campaign import Campaign, outcomes
from tests.simulation.exercised import EXERCISED
from tests.simulation.one_seed import Outcome, simulated
from tests.simulation.simulated_world import Scenario

_MOST_STORIES = 3


def main() -> int:
    """Run what the command line asks for, and return the exit status: 1 if a promise was broken,
    or if what must happen in many worlds never did."""
    asked = _arguments()
    if asked.seed is not None:
        return _replay(asked)
    first = asked.first
    scenarios = [_scenario(asked, seed) for seed in range(first, first + asked.seeds)]
    campaign, began, told = Campaign(), time.monotonic(), time.monotonic()
    for outcome in outcomes(scenarios, asked.workers):
        campaign.add(outcome)
        if outcome.violation:
            _show(outcome, asked, story=len(campaign.violations) <= _MOST_STORIES)
        if time.monotonic() > told + 10:
            told = time.monotonic()
            print(f"… {campaign.last_line}", file=sys.stderr, flush=True)
    _sum_up(campaign, time.monotonic() - began, asked.workers)
    return 1 if campaign.violations or campaign.missing else 0


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many worlds")
    parser.add_argument("--first", type=int, default=0, help="the first world's seed")
    parser.add_argument("--seed", type=int, help="replay this one world")
    parser.add_argument("--trace", action="store_true", help="with --seed: tell its whole story")
    parser.add_argument("--years", type=float, default=0.0, help="let each world last so long")
    parser.add_argument("--keyrings", type=int, default=0, help="keyrings in each world")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument(
        "--broken", default="", choices=("", *BREAKAGES), help="break a part, to see it found"
    )
    return parser.parse_args()


def _scenario(asked: Namespace, seed: int) -> Scenario:
    return Scenario(seed, years=asked.years, keyrings=asked.keyrings, broken=asked.broken)


def _replay(asked: Namespace) -> int:
    campaign = Campaign()
    outcome = simulated(_scenario(asked, asked.seed), whole_story=asked.trace)
    campaign.add(outcome)
    if outcome.violation:
        _show(outcome, asked, story=True)
    elif asked.trace:
        print(outcome.story)
    print(f"digest={outcome.digest}")
    print(campaign.last_line)
    return 1 if outcome.violation else 0


def _show(outcome: Outcome, asked: Namespace, *, story: bool) -> None:
    scenario = outcome.scenario
    words = ["python -m tests.simulation", f"--seed {scenario.seed}"]
    words += [f"--years {scenario.years}"] if scenario.years else []
    words += [f"--keyrings {scenario.keyrings}"] if scenario.keyrings else []
    words += [f"--broken {scenario.broken}"] if scenario.broken else []
    print(f"\nseed {scenario.seed}: {outcome.violation}\n")
    if story:
        print(f"{outcome.story}\n")
    print(f"replay: {' '.join(words)} --trace\n", flush=True)


def _sum_up(campaign: Campaign, seconds: float, workers: int) -> None:
    for name in sorted(EXERCISED | campaign.counts.happened.keys()):
        print(f"  {campaign.counts.happened[name]:>9}  {name}")
    if campaign.missing:
        print(f"never happened: {', '.join(campaign.missing)}")
    done, rate = campaign.counts, campaign.seeds / max(seconds, 0.001)
    print(f"keyrings={done.keyrings} commands={done.commands} recoveries={done.recoveries} ", end="")
    print(f"issued={done.issued} accepted={done.verified} refused={done.refused} ", end="")
    print(f"without-keys={done.without_keys} stolen={done.stolen}")
    print(f"digest={campaign.digest} seconds={seconds:.0f} workers={workers} seeds/s={rate:.1f}")
    print(campaign.last_line)


if __name__ == "__main__":
    sys.exit(main())
