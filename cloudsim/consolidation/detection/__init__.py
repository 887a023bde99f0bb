"""When a host is overloaded: one small file for each detection."""

from cloudsim.consolidation.detection.detection import Detection
from cloudsim.consolidation.detection.interquartile_range import InterquartileRange
from cloudsim.consolidation.detection.local_regression import LocalRegression, RobustLocalRegression
from cloudsim.consolidation.detection.median_absolute_deviation import MedianAbsoluteDeviation
from cloudsim.consolidation.detection.static_threshold import StaticThreshold

DETECTIONS: dict[str, type[Detection]] = {
    "thr": StaticThreshold,
    "mad": MedianAbsoluteDeviation,
    "iqr": InterquartileRange,
    "lr": LocalRegression,
    "lrr": RobustLocalRegression,
}
"""The detections by the names that studies use."""

__all__ = [
    "DETECTIONS",
    "Detection",
    "InterquartileRange",
    "LocalRegression",
    "MedianAbsoluteDeviation",
    "RobustLocalRegression",
    "StaticThreshold",
]
