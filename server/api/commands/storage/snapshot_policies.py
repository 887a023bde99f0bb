"""Policies that take snapshots by the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import ResourceTag, SnapshotPolicy, Volume
from server.api.command import Call, Job, Listed, command
from server.api.listing import Page, listed
from server.api.parameters import Param, one_of
from server.api.scope import Scope
from server.api.views import TagView, View, Wire, tags

GROUP = "Snapshot"


class SnapshotPolicyView(View):
    """When snapshots of a volume are taken, and how many are kept."""

    entity: ClassVar = SnapshotPolicy
    key: ClassVar = "snapshotpolicy"

    id: str | None = None
    volumeid: str | None = None
    volumename: str | None = None
    schedule: str | None = None
    intervaltype: Annotated[int | None, Wire("short"), "0 hourly, 1 daily, 2 weekly, 3 monthly"] = None
    maxsnaps: Annotated[int | None, Wire("int"), "how many are kept"] = None
    timezone: str | None = None
    fordisplay: bool | None = None
    tags: list[TagView] | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: SnapshotPolicy, call: Call) -> Self:
        volume = call.store.table(Volume).get(row.volume_id)
        return cls(
            id=row.id,
            volumeid=row.volume_id,
            volumename=volume.name if volume else None,
            schedule=row.schedule,
            intervaltype=row.interval,
            maxsnaps=row.max_snapshots,
            timezone=row.timezone,
            fordisplay=row.display,
            tags=tags(call, row.id),
        )


@command("createSnapshotPolicy", view=SnapshotPolicyView, event="SNAPSHOTPOLICY.CREATE", group=GROUP)
async def create_snapshot_policy(
    call: Call,
    *,
    volumeid: Annotated[Volume, Param(access="operate")],
    intervaltype: Annotated[str, one_of("HOURLY", "DAILY", "WEEKLY", "MONTHLY")],
    schedule: Annotated[
        str, Param("MM, MM:HH, MM:HH:day of the week from Sunday as 1, or MM:HH:day of the month")
    ],
    timezone: Annotated[str, Param("the time zone of the schedule")],
    maxsnaps: Annotated[int, Param("how many snapshots are kept")],
    fordisplay: bool = True,
    tags: Annotated[Mapping[str, str] | None, Param("its tags, which the snapshots that it takes get, too")] = None,
) -> SnapshotPolicy:
    """Has snapshots of a volume taken by the clock."""
    with call.store.transaction():
        policy: SnapshotPolicy = call.manager.snapshot_policies.create(
            volumeid,
            interval=intervaltype,
            schedule=schedule,
            timezone=timezone,
            max_snapshots=maxsnaps,
            display=fordisplay,
        )
        if tags:  # in the place of those that a policy which was replaced had by those keys
            had = call.store.table(ResourceTag).where("resource_id", policy.id)
            call.manager.tags.delete([tag for tag in had if tag.key in tags])
            call.manager.tags.create(call.caller, "SnapshotPolicy", [policy], tags)
    return policy


@command("listSnapshotPolicies", view=SnapshotPolicyView, group=GROUP)
async def list_snapshot_policies(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: SnapshotPolicy | None = None,
    volumeid: Volume | None = None,
    fordisplay: bool | None = None,
) -> Listed:
    """Lists snapshot policies."""
    volumes = call.store.table(Volume)
    if volumeid is None and id is None:
        raise InvalidParameterValue("Missing required parameter volumeid or id")

    def keep(policy: SnapshotPolicy) -> bool:
        volume = volumes.get(policy.volume_id)
        if volume is None:
            return False
        return scope.owns(volume.account_id) or call.caller.is_root_admin

    return listed(
        call,
        SnapshotPolicy,
        page=page,
        ids=None if id is None else [id],
        equal={"volume_id": volumeid and volumeid.id, "display": fordisplay},
        keep=keep,
        search=(),
    )


@command(
    "updateSnapshotPolicy", view=SnapshotPolicyView, job=True, event="SNAPSHOTPOLICY.UPDATE", group=GROUP
)
async def update_snapshot_policy(
    call: Call, *, id: SnapshotPolicy | None = None, fordisplay: bool | None = None
) -> Job:
    """Changes whether a snapshot policy can be seen."""
    if id is None:
        raise InvalidParameterValue("id must be given")
    policy = id

    async def work() -> SnapshotPolicy:
        if fordisplay is None:
            return policy
        changed: SnapshotPolicy = call.manager.snapshot_policies.update(policy, display=fordisplay)
        return changed

    return Job(work, policy)


@command("deleteSnapshotPolicies", event="SNAPSHOTPOLICY.DELETE", group=GROUP)
async def delete_snapshot_policies(
    call: Call, *, id: SnapshotPolicy | None = None, ids: Sequence[SnapshotPolicy] | None = None
) -> None:
    """Deletes snapshot policies; the snapshots that they took stay."""
    policies = [*([id] if id is not None else []), *(ids or [])]
    if not policies:
        raise InvalidParameterValue("Missing required parameter id or ids")
    call.manager.snapshot_policies.delete(list({policy.id: policy for policy in policies}.values()))
