"""Round robin: the next host after the one used last that can hold the instance.

Use it to spread instances by their number at no cost, where hosts and instances are much alike.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from cloudsim.placement.policy import OrderedPolicy


class RoundRobin(OrderedPolicy):
    name: ClassVar[str] = "round-robin"
    begin: ClassVar[Literal["lowest", "last", "after last"]] = "after last"
