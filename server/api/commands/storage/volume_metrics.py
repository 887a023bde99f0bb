"""Volumes with figures for a dashboard, and what was read and written of them over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import VirtualMachine, Volume
from cloudsim.model.storage import VolumeSample
from server.api.command import Call, Listed, command
from server.api.commands.storage.volume_view import KIB, VolumeView
from server.api.commands.storage.volumes import GROUP, list_volumes
from server.api.listing import Page, listed
from server.api.parameters import Date as DateParameter
from server.api.parameters import Param
from server.api.scope import asks_itself, of_users, ownership
from server.api.views import Long, View, date

GIB = 1 << 30


class VolumeMetricsView(VolumeView):
    """A volume with its size as people read it, and what was done with it."""

    sizegb: str | None = None
    diskiopstotal: Annotated[Long | None, "operations of both kinds, as far as it was measured"] = None

    @classmethod
    def of(cls, row: Volume, call: Call) -> Self:
        view = super().of(row, call)
        view.sizegb = f"{row.size / GIB:.2f} GB"
        if view.diskioread is not None and view.diskiowrite is not None:
            view.diskiopstotal = view.diskioread + view.diskiowrite
        return view


command(
    "listVolumesMetrics",
    view=VolumeMetricsView,
    group=GROUP,
    since="4.9.3",
    description="Lists volumes with what was read and written of them.",
)(list_volumes)


class VolumeSampleView(View):
    """What was read and written of a volume since the sample before."""

    timestamp: str | None = None
    diskkbsread: Annotated[Long | None, "KiB"] = None
    diskkbswrite: Annotated[Long | None, "KiB"] = None
    diskioread: Annotated[Long | None, "operations"] = None
    diskiowrite: Annotated[Long | None, "operations"] = None
    diskiopstotal: Annotated[Long | None, "operations of both kinds"] = None


class VolumeUsageView(View):
    """A volume with what was read and written of it over time."""

    entity: ClassVar = Volume
    key: ClassVar = "volume"

    id: str | None = None
    name: str | None = None
    stats: Annotated[list[VolumeSampleView] | None, "the samples, the oldest first"] = None

    @classmethod
    def of(cls, row: Volume, call: Call) -> Self:
        start, end = call.cache.get("usage span", (None, None))
        samples = call.manager.volume_usages.of(row.id, start, end)
        return cls(id=row.id, name=row.name, stats=[_shown(sample) for sample in samples])


def _shown(sample: VolumeSample) -> VolumeSampleView:
    return VolumeSampleView(
        timestamp=date(sample.at),
        diskkbsread=sample.read_bytes // KIB,
        diskkbswrite=sample.write_bytes // KIB,
        diskioread=sample.read_ios,
        diskiowrite=sample.write_ios,
        diskiopstotal=sample.read_ios + sample.write_ios,
    )


@command("listVolumesUsageHistory", view=VolumeUsageView, group=GROUP, since="4.18.0")
async def list_volumes_usage_history(
    call: Call,
    *,
    page: Page,
    id: Volume | None = None,
    ids: Annotated[Sequence[Volume], Param("only these")] = (),
    name: Annotated[str | None, Param("those whose name contains that")] = None,
    startdate: Annotated[DateParameter | None, Param("none before that")] = None,
    enddate: Annotated[DateParameter | None, Param("none after that")] = None,
) -> Listed:
    """Lists what was read and written of volumes over time, where the cloud keeps that."""
    if startdate is not None and enddate is not None and enddate < startdate:
        raise InvalidParameterValue("Parameter enddate must not be before startdate")
    if id is not None and ids:
        raise InvalidParameterValue("Parameters id and ids exclude each other")
    call.cache["usage span"] = (startdate, enddate)
    wanted = [id] if id is not None else list(ids) or None
    part, vms = (name or "").lower(), call.store.table(VirtualMachine)
    own = asks_itself(call)

    def keep(volume: Volume) -> bool:
        if own and (vm := vms.get(volume.vm_id)) is not None and vm.type != "User":
            return False
        return part in volume.name.lower()

    return listed(
        call,
        Volume,
        page=page,
        scope=of_users(call, ownership(call, listall=True, named=wanted is not None)),
        ids=wanted,
        keep=keep if part or own else None,
    )
