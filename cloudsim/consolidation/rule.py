"""What every policy here is: options that are numbers, and a rule compiled by Numba that reads them.

The rule is a function of numbers and arrays alone, so that a study can ask it a hundred thousand times a second; which
ones, the four kinds of policy say: `Detection`, `Selection`, `Placement`, `Underload`.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import msgspec
import numpy as np
from numba import cfunc
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A policy. Annotated fields are its options; `Annotated[float, msgspec.Meta(gt=0)]` is checked.

    A policy of one's own is a subclass of one of the four kinds, in any module:

        from numba import njit
        from cloudsim.consolidation import Detection

        @njit
        def _rising(history, demand, horizon, options):
            return demand + (history[-1] - history[0]) > options[0]

        class Rising(Detection):
            limit: float = 0.9
            rule = staticmethod(_rising)

    and is used as `--policy mymodule:Rising-mmt,limit=0.8`. The rule gets the options as an array, in the order of
    their declaration.
    """

    rule: ClassVar[Any]
    """The compiled function, in a `staticmethod`."""
    signature: ClassVar[Any]
    """Its type, which each kind of policy has."""

    @classmethod
    def pointer(cls) -> Any:
        """The rule as a function that other compiled code can be given to call."""
        return _pointer(cls.rule, cls.signature)

    def options(self) -> Floats:
        """The options as numbers, in the order in which the rule reads them."""
        return np.array([float(getattr(self, name)) for name in self.__struct_fields__], np.float64)


@cache
def _pointer(rule: Any, signature: Any) -> Any:
    try:
        return cfunc(signature, cache=True)(rule.py_func)
    except RuntimeError:  # it is in no file beside which its code could be kept
        return cfunc(signature)(rule.py_func)
