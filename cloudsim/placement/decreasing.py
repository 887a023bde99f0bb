"""Placing the largest first: how the policies of the literature that are called "decreasing" order a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from cloudsim.placement.policy import Policy
from cloudsim.placement.request import PlacementRequest

Measure = Literal["cpu", "memory", "sum", "largest", "product"]


class Decreasing(Policy):
    """Requests that arrive at one instant are placed by decreasing size, those of equal size as they came.

    The option `measure` says what size is: MHz (`cpu`), MiB (`memory`), their `product`; or the `sum` or the `largest` of the
    shares that a request has in what the batch asks for of CPU, of memory and of GPUs. Sources: Panigrahy, Talwar, Uyeda
    and Wieder (2011) for FFDSum and FFDProd; Gabay and Zaourar, "Vector bin packing with heterogeneous bins" (2016), for
    what is asked for in all as the weight.
    """

    measure: Measure = "sum"

    def order_batch(self, requests: Sequence[PlacementRequest]) -> Sequence[int] | None:
        asked = np.array([(r.cpu, r.memory, r.gpus * r.gpu_milli) for r in requests], np.float64).reshape(-1, 3)
        order: list[int] = np.argsort(-self._sizes(asked), kind="stable").tolist()
        return order

    def _sizes(self, asked: np.ndarray) -> np.ndarray:
        if self.measure == "cpu":
            return asked[:, 0]
        if self.measure == "memory":
            return asked[:, 1]
        if self.measure == "product":
            return asked[:, 0] * asked[:, 1]
        shares = asked / np.maximum(asked.sum(axis=0), 1.0)
        return shares[:, 0] + shares[:, 1] + shares[:, 2] if self.measure == "sum" else shares.max(axis=1)
