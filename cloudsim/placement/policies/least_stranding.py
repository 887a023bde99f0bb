"""Least stranding: the host where an instance leaves least that no other can use; of such ones the fullest.

A sum of terms over shares of a host, x of CPU and y of memory; the smallest wins, and of equal ones the
first:

- sqrt(stranded), of what is left outside the proportions of the instances that come. Where none asks for
  more than `skew` times the share of one resource that it asks of the other,
  max(0, x - skew y) + max(0, y - skew x) can never be filled. The root makes any stranding dear, so that a
  new host is opened rather than one resource of an old one used up alone.
- `tightness` x sqrt((x + y) / 2), of what is left: the fullest are filled, and the emptiest can drain.
- `repair` x |x - y| - `tightness` x sqrt(|x - y|), of what is free before: even hosts wait for the
  instances that fit them, slightly uneven ones are finished first, very uneven ones drain.
- `opening`, for an empty host.
- `gpus` x the growth of max(0, share of GPUs - min(x, y)), the GPUs that CPU or memory would be missing
  for; and instances without GPUs take a host that has some only when there is no other.

Use it to pack a load that asks for CPU and memory in the hosts' own proportion on the whole; `skew` is by
how much a single instance may differ: 2 for 2 to 8 GiB per core on hosts of 4. With too small a skew the
instances themselves look like stranding, with too large a one stranding is not seen. Do not use it where
one resource runs out long before the other: it would open host after host to save what cannot be used
anyway. Take `best-fit,norm=l1` there. Its lead is made while a cloud fills and in the first few mean
lifetimes after; in the long run, with room to spare, `balance` keeps as few hosts in use or fewer (W1 at
80 %, 1,000 hosts, after ten days: 1.031 times the lower bound against 1.034).

If instances could wait for the right host, the least stranding that can still be reached would be the value
of a host in the dynamic programme of filling it; the first term is its root. Kin to it is the fragmentation
of Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient
Descent" (USENIX ATC 2023). The weights were tuned on W1 at fills of 80 and 92 % with seeds 1 to 40, that of
GPUs on random orders of the pods of openb.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from cloudsim.placement.policy import Candidates, Scores, ScoringPolicy
from cloudsim.placement.request import PlacementRequest

NotNegative = Annotated[float, Meta(ge=0)]
LAST = 10.0
"""More than all other terms make with the usual weights."""


class LeastStranding(ScoringPolicy):
    name: ClassVar[str] = "least-stranding"
    of_capacity: ClassVar[bool] = True
    skew: Annotated[float, Meta(ge=1)] = 2.0
    tightness: NotNegative = 0.08
    repair: NotNegative = 0.18
    opening: NotNegative = 0.02
    gpus: NotNegative = 1.0

    def score(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        x, y = hosts.left(request)
        cpu, memory = hosts.free()
        stranded = np.maximum(x - self.skew * y, 0) + np.maximum(y - self.skew * x, 0)
        uneven = abs(cpu - memory)
        tight = self.tightness * (np.sqrt((x + y) / 2) - np.sqrt(uneven))
        cost = np.sqrt(stranded) + tight + self.repair * uneven + self.opening * hosts.empty
        for gpu in hosts.dimensions(request)[2:]:
            bare = np.maximum(gpu.left - np.minimum(x, y), 0)
            cost = cost + self.gpus * (bare - np.maximum(gpu.free - np.minimum(cpu, memory), 0))
            if not gpu.wants:
                cost = cost + LAST * (gpu.total > 1)  # one thousandth stands for none
        return -cost
