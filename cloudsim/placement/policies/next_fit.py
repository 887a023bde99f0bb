"""Next fit: the host used last, as long as instances fit there; then the next one that can hold the instance.

Use it to see what a simulator measures that calls this first fit (several do). Source: Johnson, "Near-optimal bin packing
algorithms" (1973); the search goes on from the last host to the first, since instances leave again.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from cloudsim.placement.policy import OrderedPolicy


class NextFit(OrderedPolicy):
    name: ClassVar[str] = "next-fit"
    begin: ClassVar[Literal["lowest", "last", "after last"]] = "last"
