"""`python -m tests.dst`: run simulated clouds under faults until a time is over or an invariant breaks.

    python -m tests.dst --years 100 --seed 1
    python -m tests.dst --replay '{"seed":7,"episodes":4}'

Each run is a few days with a seed of its own, counted up from `--seed`. Ends with status 1 at the first violation, after
the command that replays it; `--shorten` first looks for a smaller plan that breaks the same invariant.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.dst.plan import HOUR, Plan, from_json
from tests.dst.run import Outcome, Run
from tests.dst.shorten import shorten

YEAR = 365.25 * 24 * HOUR


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.dst", description="Simulated clouds under faults.")
    parser.add_argument("--years", type=float, default=0.1, help="simulated time in all (default: 0.1)")
    parser.add_argument("--seed", type=int, default=1, help="the first run's seed (default: 1)")
    parser.add_argument("--racks", type=int, default=2)
    parser.add_argument("--hosts", type=int, default=3, help="hosts of each rack (default: 3)")
    parser.add_argument("--episodes", type=int, default=12, help="of six hours in each run (default: 12)")
    parser.add_argument("--watched", action="store_true", help="hosts and instances have high availability")
    parser.add_argument("--replay", metavar="JSON", help="run this plan only")
    parser.add_argument("--shorten", action="store_true", help="shorten the plan of a failure")
    chosen = parser.parse_args()
    if chosen.replay is not None:
        plan = from_json(chosen.replay)
        outcome = Run(plan).outcome()
        _tell(plan, outcome, outcome.simulated, 0.0)
        return _failed(plan, outcome, chosen.shorten)
    began, simulated, seed = time.perf_counter(), 0.0, chosen.seed
    while simulated < chosen.years * YEAR:
        plan = Plan(seed=seed, racks=chosen.racks, hosts=chosen.hosts, episodes=chosen.episodes, watched=chosen.watched)
        outcome = Run(plan).outcome()
        simulated += outcome.simulated
        _tell(plan, outcome, simulated, time.perf_counter() - began)
        if outcome.violations:
            return _failed(plan, outcome, chosen.shorten)
        seed += 1
    return 0


def _tell(plan: Plan, outcome: Outcome, simulated: float, wall: float) -> None:
    print(
        f"seed {plan.seed}: {outcome.asked} operations, {outcome.succeeded} jobs succeeded, {outcome.failed} failed, "
        f"{outcome.restarts} restarts, {outcome.taken_back} fenced hosts; "
        f"{simulated / YEAR:.3f} years in {wall:.0f} s; {outcome.digest[:16]}",
        flush=True,
    )


def _failed(plan: Plan, outcome: Outcome, short: bool) -> int:
    if not outcome.violations:
        return 0
    print(f"\nafter {outcome.at / HOUR:.2f} simulated hours:")
    for violation in outcome.violations:
        print(f"  {violation}")
    if short:
        plan = shorten(plan, outcome)
    print(f"\nreplay: {plan.command()}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
