"""What a placement policy is: filters and scores over hosts, or a whole decision; and its options.

A policy of one's own is a class with a `score`, in any module:

    from cloudsim.placement import ScoringPolicy

    class Tightest(ScoringPolicy):
        name = "tightest"
        of_capacity = True
        memory_weight: float = 1.0

        def score(self, request, hosts):
            cpu, memory = hosts.left(request)
            return -(cpu + self.memory_weight * memory)

and is used as `--policy mymodule:Tightest,memory_weight=2`. See docs/policies.md.
"""

from __future__ import annotations

import re
import typing
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from cloudsim.errors import InvalidParameterValue
from cloudsim.placement.arrays import HostArrays, Ints, Mask
from cloudsim.placement.candidates import Candidates
from cloudsim.placement.request import PlacementRequest
from cloudsim.randomness import Randomness

Scores = NDArray[np.int64] | NDArray[np.float64]
Need = Literal["tenants", "lifetimes", "batches", "pods"]
"""Several tenants; requests whose lifetime is foretold; requests that arrive at the same instant; several pods."""


class Policy(ABC):
    """Chooses among the hosts that can hold a request. One instance serves one cloud.

    Annotated fields with a default are its options; `Annotated[float, msgspec.Meta(ge=0)]` and `Literal` are
    checked, and a `tuple[str, ...]` is written as `a+b+c`. `randomness` is its own branch of the seeded tree: no
    other source of chance may be used.
    """

    name: ClassVar[str]
    """What it is called in texts; made from the name of the class (TallestFirst: tallest-first) where it is not given."""

    needs: ClassVar[tuple[Need, ...]] = ()
    """What it decides by: where it is not there the policy works, but is no better than a simpler one."""

    def __init_subclass__(cls) -> None:
        if "name" not in cls.__dict__:
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    def __init__(self, randomness: Randomness, options: Mapping[str, Any] | None = None) -> None:
        self.randomness = randomness
        known = option_types(type(self))
        for option, value in (options or {}).items():
            if option not in known:
                there = f"it has {', '.join(known)}" if known else "it has none"
                raise InvalidParameterValue(f"policy {self.name} has no option {option!r}: {there}")
            if isinstance(value, str) and _is_tuple(known[option]):
                value = value.split("+")
            try:
                setattr(self, option, msgspec.convert(value, known[option], strict=False))
            except msgspec.ValidationError as error:
                wrong = f"policy {self.name}: {option}: {_expected(known[option], error)}, got {value!r}"
                raise InvalidParameterValue(wrong) from error
        self.prepare()

    def prepare(self) -> None:  # noqa: B027 - a policy need not have any
        """Called once, when the options are set: the place for a policy's own state."""

    def order_batch(self, requests: Sequence[PlacementRequest]) -> Sequence[int] | None:
        """In which order to place requests that arrive at one instant: each of their indices once; None: as they came."""
        return None

    @property
    def orders_batches(self) -> bool:
        """Whether it may have requests of one instant placed in another order than theirs."""
        return type(self).order_batch is not Policy.order_batch

    def batch_order(self, requests: Sequence[PlacementRequest]) -> Sequence[int]:
        """What `order_batch` says, as indices. Raises InvalidParameterValue where it leaves one out or says one twice."""
        order = self.order_batch(requests)
        if order is None:
            return range(len(requests))
        if sorted(order) != list(range(len(requests))):
            wrong = f"order_batch: expected each index of {len(requests)} requests once, got {list(order)}"
            raise InvalidParameterValue(f"policy {self.name}: {wrong}")
        return order

    def filter(self, request: PlacementRequest, hosts: HostArrays) -> Mask | None:
        """Hosts (all slots) that this policy allows, among those that can hold the request; None: all."""
        return None

    @abstractmethod
    def choose(self, request: PlacementRequest, hosts: HostArrays, feasible: Mask) -> int:
        """The slot to use; `feasible[slot]` is true for those that can be, and at least one can."""


class ScoringPolicy(Policy):
    """Takes the host with the highest score; of equal ones the lowest slot.

    With `of_capacity` the score depends on nothing but `Capacities` and the request's `cpu` and `memory` (and on GPUs,
    where there are any): a replay of hosts without GPUs then asks once for each state that a host can be in, and no more.
    """

    of_capacity: ClassVar[bool] = False

    @abstractmethod
    def score(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        """A number for each of the candidates; not NaN."""

    def choose(self, request: PlacementRequest, hosts: HostArrays, feasible: Mask) -> int:
        candidates = np.flatnonzero(feasible)
        scores = np.asarray(self.score(request, Candidates(hosts, candidates)))
        if scores.shape != candidates.shape:
            what = f"an array of {len(candidates)}, one for each host, got {scores.shape}"
            raise InvalidParameterValue(f"policy {self.name}: score: expected {what}")
        best = int(np.argmax(scores))
        if scores[best] != scores[best]:  # where there is a NaN, that is the highest
            raise InvalidParameterValue(f"policy {self.name}: score: expected numbers, got NaN")
        return int(candidates[best])


class OrderedPolicy(Policy):
    """Takes the first host that fits, from some slot on and then from the lowest: fit decides, no score.

    `begin` says where a search begins: at the lowest slot, at the one used last, or after it.
    """

    begin: ClassVar[Literal["lowest", "last", "after last"]] = "lowest"

    def prepare(self) -> None:
        self._start = 0

    def choose(self, request: PlacementRequest, hosts: HostArrays, feasible: Mask) -> int:
        later = feasible[self._start :]
        first = int(later.argmax())
        slot = self._start + first if later[first] else int(feasible.argmax())
        if self.begin != "lowest":
            self._start = slot if self.begin == "last" else (slot + 1) % len(feasible)
        return slot


def _bare(hint: Any) -> Any:
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint


def _is_tuple(hint: Any) -> bool:
    return typing.get_origin(_bare(hint)) is tuple


def _expected(hint: Any, error: msgspec.ValidationError) -> str:
    """What an option takes, in words."""
    each = typing.get_args(_bare(hint))[0] if _is_tuple(hint) else _bare(hint)
    if typing.get_origin(each) is Literal:
        return f"expected {'some' if _is_tuple(hint) else 'one'} of {', '.join(typing.get_args(each))}"
    text = str(error).partition(" - at")[0]
    return text[:1].lower() + text[1:]


def option_types(kind: type[Policy]) -> dict[str, Any]:
    """The options of a policy and their types: public annotated fields that are no class variables."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return {
        name: hint
        for name, hint in hints.items()
        if not name.startswith("_") and typing.get_origin(hint) is not ClassVar and hasattr(kind, name)
    }


__all__ = [
    "Candidates",
    "HostArrays",
    "Ints",
    "Mask",
    "Need",
    "OrderedPolicy",
    "Policy",
    "Scores",
    "ScoringPolicy",
    "option_types",
]
