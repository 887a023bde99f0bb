"""Fetching templates, ISOs, volumes and snapshots from the cloud by URL."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import Snapshot, Template, Transfer, Volume, Zone
from server.api.command import Call, Job, command
from server.api.commands.storage.volumes import queue_of
from server.api.parameters import Param
from server.api.views import Date, View, date

MODE = Param("HTTP_DOWNLOAD; FTP_UPLOAD is not supported")
URL = Param("not supported: nothing is sent anywhere, it is fetched", length=2048)


class ExtractView(View):
    """Where something can be fetched, and until when: the URL's `expires` is in Unix seconds."""

    entity: ClassVar = None
    key: ClassVar = "template"

    id: Annotated[str | None, "what is fetched: the template, ISO, volume or snapshot"] = None
    name: str | None = None
    extractId: str | None = None
    accountid: str | None = None
    created: Date | None = None
    state: Annotated[str | None, "DOWNLOAD_URL_CREATED"] = None
    status: str | None = None
    storagetype: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    extractMode: str | None = None
    url: str | None = None
    uploadpercentage: int | None = None
    resultstring: str | None = None

    @classmethod
    def of(cls, row: Transfer, call: Call) -> Self:
        zone = call.store.table(Zone).get(row.zone_id)
        tables = {"Iso": "Template", "Template": "Template", "Volume": "Volume", "Snapshot": "Snapshot"}
        named = call.store.tables[tables[row.object_type]].get(row.object_id)
        return cls(
            id=row.object_id,
            name=getattr(named, "name", None),
            extractId=row.id,
            accountid=row.account_id,
            created=date(row.created),
            state="DOWNLOAD_URL_CREATED",
            status="DOWNLOAD_URL_CREATED",
            storagetype="secondary",
            zoneid=row.zone_id,
            zonename=zone.name if zone else None,
            extractMode="HTTP_DOWNLOAD",
            url=call.manager.transfers.address(row),
        )


def _refuse_url(url: str | None) -> None:
    if url:
        raise InvalidParameterValue("Parameter url is not supported: nothing is sent there, the answer's url is fetched")


@command("extractTemplate", view=ExtractView, job=True, event="TEMPLATE.EXTRACT", group="Template")
async def extract_template(
    call: Call,
    *,
    id: Annotated[Template, Param(access="use")],
    mode: Annotated[str, MODE],
    zoneid: Annotated[Zone | None, Param("the zone whose copy is fetched")] = None,
    url: Annotated[str | None, URL] = None,
) -> Job:
    """Makes a URL from which a template can be fetched for a while."""
    _refuse_url(url)
    return _of_template(call, call.manager.templates.active(id, iso=False), zoneid, mode)


@command("extractIso", view=ExtractView, key="iso", job=True, event="ISO.EXTRACT", group="ISO")
async def extract_iso(
    call: Call,
    *,
    id: Annotated[Template, Param(access="use")],
    mode: Annotated[str, MODE],
    zoneid: Annotated[Zone | None, Param("the zone whose copy is fetched")] = None,
    url: Annotated[str | None, URL] = None,
) -> Job:
    """Makes a URL from which an ISO can be fetched for a while."""
    _refuse_url(url)
    return _of_template(call, call.manager.templates.active(id, iso=True), zoneid, mode)


def _of_template(call: Call, template: Template, zone: Zone | None, mode: str) -> Job:
    extraction = call.manager.extraction
    found = extraction.check_template(call.caller, template, zone, mode)
    return Job(lambda: extraction.template(template, found), template)


@command("extractVolume", view=ExtractView, key="volume", job=True, event="VOLUME.EXTRACT", group="Volume")
async def extract_volume(
    call: Call,
    *,
    id: Volume,
    zoneid: Zone,
    mode: Annotated[str, MODE],
    url: Annotated[str | None, URL] = None,
) -> Job:
    """Copies a volume that no running instance uses, and makes a URL from which the copy can be fetched for a while."""
    _refuse_url(url)
    extraction = call.manager.extraction
    extraction.check_volume(call.caller, id, zoneid, mode)

    async def work() -> Transfer:
        volume = call.store.table(Volume)[id.id]
        extraction.check_volume(call.caller, volume, zoneid, mode)
        served: Transfer = await extraction.volume(volume)
        return served

    return Job(work, id, queue=queue_of(id))


@command(
    "extractSnapshot",
    view=ExtractView,
    key="snapshot",
    job=True,
    event="SNAPSHOT.EXTRACT",
    since="4.20.0",
    group="Snapshot",
)
async def extract_snapshot(call: Call, *, id: Snapshot, zoneid: Zone) -> Job:
    """Makes a URL from which a snapshot's backup can be fetched for a while."""
    extraction = call.manager.extraction
    extraction.check_snapshot(id, zoneid)
    return Job(lambda: extraction.snapshot(id), id)
