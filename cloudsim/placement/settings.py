"""What placement reads of a cloud's settings; `cloudsim.management.operations.settings.Settings` is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol


class PlacementSettings(Protocol):
    """Over-commit factors and thresholds by cluster, and the name of the policy in force."""

    def get(self, name: str) -> str: ...

    def number(self, name: str, scope: Literal["Global", "Cluster"] = "Global", scope_id: str = "") -> float: ...

    def own(self, name: str, scope: Literal["Cluster", "Zone"]) -> Mapping[str, float]:
        """The number that each cluster or zone has of its own, by id."""
        ...
