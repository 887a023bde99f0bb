"""`python -m tests.selfservice`: random self-service of several domains under faults, until a seed breaks an invariant.

    python -m tests.selfservice --seed 1 --episodes 2 --runs 50

Each run is an episode or more of six simulated hours with a seed of its own, counted up from `--seed`. Ends with status 1
at the first violation, after the calls before it and the command that does it again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.selfservice.run import Outcome, Run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.selfservice", description="Self-service under faults.")
    parser.add_argument("--seed", type=int, default=1, help="the first run's seed (default: 1)")
    parser.add_argument("--episodes", type=int, default=1, help="of six hours in each run (default: 1)")
    parser.add_argument("--runs", type=int, default=1, help="how many (default: 1)")
    parser.add_argument("--gap", type=float, default=60.0, help="mean seconds between calls (default: 60)")
    parser.add_argument("--no-faults", action="store_true", help="nothing fails")
    parser.add_argument("--last", type=int, default=60, help="calls that are told of a failure (default: 60)")
    parser.add_argument("--statuses", action="store_true", help="tell how each command was answered")
    parser.add_argument("--go-on", action="store_true", help="tell of violations, and go on")
    chosen = parser.parse_args()
    began, calls, simulated = time.perf_counter(), 0, 0.0
    statuses: Counter[tuple[str, int]] = Counter()
    for seed in range(chosen.seed, chosen.seed + chosen.runs):
        outcome = Run(seed, episodes=chosen.episodes, faults=not chosen.no_faults, gap=chosen.gap, go_on=chosen.go_on).outcome()
        calls, simulated = calls + outcome.calls, simulated + outcome.simulated
        statuses += outcome.statuses
        accepted = sum(n for (_, status), n in outcome.statuses.items() if status == 200)
        succeeded = sum(n for (_, status), n in outcome.jobs.items() if status == 1)
        print(
            f"seed {seed}: {outcome.calls} calls, {accepted} accepted, {succeeded} jobs succeeded, {outcome.probes} lists "
            f"with {outcome.seen} rows, {outcome.tried} trespasses, {outcome.restarts} restarts; in all {calls} calls, "
            f"{simulated / 3600:.0f} simulated hours in {time.perf_counter() - began:.0f} s",
            flush=True,
        )
        if outcome.violations and (not chosen.go_on or outcome.cut_short):
            return _failed(seed, chosen, outcome)
    if chosen.statuses:
        for name in sorted({name for name, _ in statuses}):
            told = {status: n for (each, status), n in sorted(statuses.items()) if each == name}
            print(f"{name}: {told}")
    return 0


def _failed(seed: int, chosen: argparse.Namespace, outcome: Outcome) -> int:
    for line in outcome.last[-chosen.last :]:
        print(f"  {line}")
    print(f"\nafter {outcome.simulated / 3600:.2f} simulated hours:")
    for violation in outcome.violations[:20]:
        print(f"  {violation}")
    faults = " --no-faults" if chosen.no_faults else ""
    print(f"\nagain: python -m tests.selfservice --seed {seed} --episodes {chosen.episodes} --gap {chosen.gap:g}{faults}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
