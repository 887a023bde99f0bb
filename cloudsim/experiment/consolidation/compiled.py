"""The functions of `kernels` that a simulation calls, compiled for its arrays, with policies as pointers to functions."""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np
from numba import njit, types

from cloudsim.consolidation.detection import Detection
from cloudsim.consolidation.placement import Placement
from cloudsim.consolidation.power import WATTS
from cloudsim.consolidation.selection import Selection
from cloudsim.consolidation.underload import Underload
from cloudsim.experiment.consolidation import kernels
from cloudsim.experiment.consolidation.conventions import OURS
from cloudsim.experiment.consolidation.fleet import STUDY_HOSTS
from cloudsim.experiment.consolidation.state import State, hosts_of, instances_of, state_of

_typeof: Any = numba.typeof
_TIME = types.float64
_OPTIONS = types.float64[::1]


def compile_all() -> None:
    """Compile what has not been, so that simulations can be timed."""
    for compiled in (place_all, advance, settle, decide):
        compiled()
    s = _types()
    for moving in (kernels.begin_moves, kernels.finish_moves):
        moving.compile((s.instances, s.slots, s.ends, s.moves))


@cache
def advance() -> Any:
    s = _types()
    return _made(
        types.void, kernels.advance,
        s.instances, s.hosts, s.slots, s.ends, s.curves, s.counts, _rules(), types.FunctionType(WATTS), _TIME,
    )  # fmt: skip


@cache
def settle() -> Any:
    s = _types()
    return _made(types.void, kernels.settle, s.instances, s.hosts, s.slots, s.ends, s.counts, _rules(), _TIME)


@cache
def decide() -> Any:
    s = _types()
    policies = (Detection.signature, Selection.signature, Placement.signature, Underload.signature)
    return _made(
        types.int64, kernels.decide,
        s.instances, s.hosts, s.slots, s.ends, s.curves, s.past, s.plan, s.history, s.open, s.empty, s.moves,
        _rules(), types.int64, _TIME, types.float64[::1], types.FunctionType(WATTS),
        *(part for policy in policies for part in (types.FunctionType(policy), _OPTIONS)),
    )  # fmt: skip


@cache
def place_all() -> Any:
    s = _types()
    return _made(
        types.int64, kernels.place_all,
        s.instances, s.hosts, s.slots, s.ends, s.curves, s.plan, _rules(), types.boolean,
        types.FunctionType(WATTS), types.FunctionType(Placement.signature), _OPTIONS,
    )  # fmt: skip


@cache
def _types() -> Any:
    """The types of a state's arrays."""
    one = np.ones(1)
    state = state_of(instances_of(one, one, one), *hosts_of(STUDY_HOSTS, 1))
    return State(*map(_typeof, state))


def _rules() -> Any:
    return _typeof(OURS.rules())


def _made(result: Any, function: Any, *arguments: Any) -> Any:
    return njit(result(*arguments), cache=True)(function)
