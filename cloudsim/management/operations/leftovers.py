"""What hangs on a thing by its id alone, such as tags, and goes when it goes."""

from __future__ import annotations

from cloudsim.management.foundation import Foundation
from cloudsim.model import (
    Annotation,
    Configuration,
    InstanceLease,
    ResourceDetail,
    ResourceTag,
    SnapshotPolicy,
    VolumeStatistics,
    VolumeUsage,
)


def remove_leftovers(foundation: Foundation, row_id: str) -> None:
    """Delete the settings scoped to that id, and the tags, details, comments, measurements and lease of it.

    Needs an open transaction.
    """
    settings = foundation.table(Configuration)
    for setting in [each for each in settings if each.scope_id == row_id]:
        settings.delete(setting.id)
    tags = foundation.table(ResourceTag)
    for tag_id in list(tags.ids("resource_id", row_id)):
        tags.delete(tag_id)
    details = foundation.table(ResourceDetail)
    for detail_id in list(details.ids("resource_id", row_id)):
        details.delete(detail_id)
    usages, statistics = foundation.table(VolumeUsage), foundation.table(VolumeStatistics)
    for usage_id in list(usages.ids("volume_id", row_id)):
        usages.delete(usage_id)
    measured = statistics.find("volume_id", row_id)
    if measured is not None:
        statistics.delete(measured.id)
    lease = foundation.table(InstanceLease).find("vm_id", row_id)
    if lease is not None:
        foundation.table(InstanceLease).delete(lease.id)
    annotations = foundation.table(Annotation)
    for annotation_id in list(annotations.ids("entity_id", row_id)):
        annotations.delete(annotation_id)


def remove_policies(foundation: Foundation, volume_id: str) -> None:
    """Forget the snapshot policies of a volume, and what hangs on them. Needs an open transaction."""
    policies = foundation.table(SnapshotPolicy)
    for policy_id in list(policies.ids("volume_id", volume_id)):
        remove_leftovers(foundation, policy_id)
        policies.delete(policy_id)
