"""First fit: the lowest-numbered host that can hold the instance.

Use it as the baseline: fast, and it keeps the hosts at the end empty. Source: Johnson, "Near-optimal bin packing
algorithms" (1973).
"""

from __future__ import annotations

from typing import ClassVar

from cloudsim.placement.policy import OrderedPolicy


class FirstFit(OrderedPolicy):
    name: ClassVar[str] = "first-fit"
