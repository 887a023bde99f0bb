"""Which instance leaves an overloaded host: one small file for each selection."""

from cloudsim.consolidation.selection.any_instance import AnyInstance
from cloudsim.consolidation.selection.maximum_correlation import MaximumCorrelation
from cloudsim.consolidation.selection.minimum_migration_time import MinimumMigrationTime
from cloudsim.consolidation.selection.minimum_utilisation import MinimumUtilisation
from cloudsim.consolidation.selection.selection import Selection

SELECTIONS: dict[str, type[Selection]] = {
    "mmt": MinimumMigrationTime,
    "mc": MaximumCorrelation,
    "rs": AnyInstance,
    "mu": MinimumUtilisation,
}
"""The selections by the names that studies use."""

__all__ = [
    "SELECTIONS",
    "AnyInstance",
    "MaximumCorrelation",
    "MinimumMigrationTime",
    "MinimumUtilisation",
    "Selection",
]
