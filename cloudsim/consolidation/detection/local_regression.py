"""Looking ahead: a line fitted to the last values of the load, newer ones counting more, tells what it will be.

`lr` is the fit of Cleveland's Loess at its right end, `lrr` its robust form, which gives less weight to values far from
the first fit. Sources: Cleveland, "Robust locally weighted regression and smoothing scatterplots" (JASA 74,
1979); Beloglazov and Buyya, "Optimal online deterministic algorithms and adaptive heuristics for energy and performance
efficient dynamic consolidation of virtual machines in cloud data centers" (CCPE 24, 2012), section 5.1, LR and LRR.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from msgspec import Meta
from numba import njit

from cloudsim.consolidation.detection.detection import Detection
from cloudsim.consolidation.detection.ranking import middle, ranked
from cloudsim.consolidation.rule import Floats

POINTS = 10
"""Values that the line is fitted to: few enough to follow the newest."""


@njit(cache=True)
def _line(y: Any, weights: Any) -> tuple[float, float]:
    """Intercept and slope of the weighted least squares line through (1, y[0]), (2, y[1]), ..."""
    total = mean_x = mean_y = 0.0
    for i in range(POINTS):
        total += weights[i]
        mean_x += weights[i] * (i + 1)
        mean_y += weights[i] * y[i]
    mean_x /= total
    mean_y /= total
    together = spread = 0.0
    for i in range(POINTS):
        together += weights[i] * (i + 1 - mean_x) * (y[i] - mean_y)
        spread += weights[i] * (i + 1 - mean_x) * (i + 1 - mean_x)
    slope = together / spread
    return mean_y - slope * mean_x, slope


@njit(cache=True)
def _rule(history: Any, demand: float, horizon: float, options: Any) -> bool:
    safety, fallback, weighted, robust = options[0], options[1], options[2] != 0, options[3] != 0
    if len(history) < POINTS:
        return demand > fallback
    y = history[len(history) - POINTS :]
    weights = np.ones(POINTS)
    if weighted:
        for i in range(POINTS):
            far = (POINTS - 1 - i) / (POINTS - 1)
            weights[i] = (1 - far**3) ** 3
    intercept, slope = _line(y, weights)
    if robust:
        residuals = np.empty(POINTS)
        for i in range(POINTS):
            residuals[i] = np.abs(y[i] - intercept - slope * (i + 1))
        scale = 6 * middle(ranked(residuals))
        if scale > 0:
            again = np.zeros(POINTS)
            left = 0
            for i in range(POINTS):
                if residuals[i] < scale:
                    again[i] = weights[i] * (1 - (residuals[i] / scale) ** 2) ** 2
                    left += again[i] > 0
            if left > 1:
                intercept, slope = _line(y, again)
    return safety * (intercept + slope * (POINTS + horizon)) >= 1


class LocalRegression(Detection, frozen=True, kw_only=True):
    """Overloaded: `safety` * predicted >= 1, by a line fitted to the last 10 values of the history.

    The line predicts the load when the largest instance would have been migrated. Its weights are tricube, (1 - d^3)^3 at the
    share d of the way back to the oldest of the ten; `weights: none` makes it an ordinary regression.
    With fewer than 10 values: demand > `fallback`.
    """

    rule: ClassVar[Any] = staticmethod(_rule)
    robust: ClassVar[bool] = False
    safety: Annotated[float, Meta(gt=0)] = 1.2
    fallback: Annotated[float, Meta(gt=0, le=1)] = 0.7
    weights: Literal["tricube", "none"] = "tricube"

    def options(self) -> Floats:
        return np.array([self.safety, self.fallback, self.weights == "tricube", self.robust], np.float64)


class RobustLocalRegression(LocalRegression, frozen=True, kw_only=True):
    """As LocalRegression, fitted once more with weights times (1 - (r / 6m)^2)^2, for residuals r of median m."""

    robust: ClassVar[bool] = True
