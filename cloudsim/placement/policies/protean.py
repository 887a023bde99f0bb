"""Protean: a chain of rules, each with coarse scores, in lexicographic order.

`rules` names them, the most important first (`rules=non-empty+lifetime+packing`):

- `non-empty`: hosts that have instances before empty ones;
- `packing`: the least left, by `norm`, in `levels` steps;
- `balance`: the least difference between the shares of CPU and of memory that are left, in `levels` steps;
- `lifetime`: the least time that the host must stay on longer, in the steps of `hours` (see `nilas`);
- `no-gpus`: hosts without GPUs first, for instances that ask for none;
- `dispersing`: the fewest instances of the same account.

Of the hosts that are the best by all rules the first is taken, or with `ties=random` any, as Protean does to
keep several allocators from choosing the same. Coarse steps are what make the later rules count.

Use it to combine aims by their order of importance, without weights to tune. Source: Hadary et al., "Protean:
VM allocation service at scale" (OSDI 2020): validator rules, which here are the planner's filters, then
preference rules; its rules for updates, licences and evictable instances are about things that are not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from cloudsim.errors import InvalidParameterValue
from cloudsim.placement.lifetimes import bounds
from cloudsim.placement.policy import Ints
from cloudsim.placement.rules import (
    Rule,
    RuleChain,
    balanced,
    fewest_of_account,
    least_extended,
    non_empty,
    tightest,
    without_gpus,
)

RuleName = Literal["non-empty", "packing", "balance", "lifetime", "no-gpus", "dispersing"]
OF_CAPACITY = frozenset(("non-empty", "packing", "balance", "no-gpus"))


class Protean(RuleChain):
    name: ClassVar[str] = "protean"
    rules: tuple[RuleName, ...] = ("non-empty", "lifetime", "packing")
    norm: Literal["l1", "l2", "linf"] = "l2"
    levels: Annotated[int, Meta(ge=1, le=1_000_000)] = 20
    hours: tuple[float, ...] = (0, 1, 10, 100)
    ties: Literal["first", "random"] = "first"

    def prepare(self) -> None:
        if len(set(self.rules)) < len(self.rules):
            raise InvalidParameterValue(f"policy {self.name}: rules: expected each rule once, got {'+'.join(self.rules)}")
        there: dict[str, Rule] = {
            "non-empty": non_empty,
            "packing": tightest(self.norm, self.levels),
            "balance": balanced(self.levels),
            "lifetime": least_extended(bounds(self.name, "hours", self.hours)),
            "no-gpus": without_gpus,
            "dispersing": fewest_of_account,
        }
        self._rules = tuple(there[rule] for rule in self.rules)
        fixed = self.ties == "first" and OF_CAPACITY.issuperset(self.rules)
        self.of_capacity = fixed  # type: ignore[misc]  # it depends on the rules of this instance

    def preferences(self) -> Sequence[Rule]:
        return self._rules

    def pick(self, best: Ints) -> int:
        return int(best[self.randomness.generator.integers(len(best)) if self.ties == "random" else 0])
