"""An empty store and what services stand on, for services that need no host."""

from __future__ import annotations

from cloudsim.management.foundation import Foundation
from cloudsim.model import ROW_TYPES
from cloudsim.randomness import Randomness
from cloudsim.store import Store


def bare() -> Foundation:
    return Foundation(Store(ROW_TYPES), Randomness(11), lambda: 1_800_000_000.0)
