"""Bringing volumes, templates and ISOs into the cloud: fetched by URL, or sent by the client."""

from __future__ import annotations

from time import gmtime, strftime
from typing import Annotated, ClassVar, Literal

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.storage.template_request import ISO
from cloudsim.management.storage.uploads import UploadParameters
from cloudsim.model import DiskOffering, ImageStore, Volume, Zone
from server.api.command import Call, Job, command
from server.api.commands.storage.volume_view import VolumeView
from server.api.commands.templates.requested import CHECKSUM, SentIso, SentTemplate
from server.api.ownership import Owner
from server.api.parameters import Param
from server.api.views import View, Wire

FORMAT = Param("QCOW2, RAW, VHD, VMDK, ..")


class UploadParametersView(View):
    """What a client sends with a file, which it POSTs to `postURL` before `expires`: the headers X-signature,
    X-metadata and X-expires."""

    entity: ClassVar = None
    key: ClassVar = "getuploadparams"

    id: Annotated[str | None, Wire("uuid"), "the template, ISO or volume that the file is to be"] = None
    postURL: Annotated[str | None, Wire("url")] = None
    metadata: str | None = None
    expires: str | None = None
    signature: str | None = None

    @classmethod
    def of_parameters(cls, made: UploadParameters) -> UploadParametersView:
        return cls(
            id=made.id,
            postURL=made.url,
            metadata=made.metadata,
            expires=strftime("%Y-%m-%dT%H:%M:%S.000Z", gmtime(made.expires)),
            signature=made.signature,
        )


@command("uploadVolume", view=VolumeView, job=True, creates=Volume, event="VOLUME.UPLOAD", group="Volume")
async def upload_volume(
    call: Call,
    *,
    owner: Owner,
    name: str,
    zoneid: Zone,
    format: Annotated[str, FORMAT],
    url: Annotated[str, Param("where its file is fetched from", length=2048)],
    checksum: Annotated[str | None, CHECKSUM] = None,
    diskofferingid: Annotated[DiskOffering | None, Param("a disk offering that leaves the size open")] = None,
    imagestoreuuid: Annotated[ImageStore | None, Param("where it is kept", type="string")] = None,
) -> Job:
    """Fetches a data disk by URL into secondary storage; attaching it brings it to primary storage."""
    uploads = call.manager.uploads
    volume = uploads.volume_from(
        call.caller,
        owner,
        name=name,
        url=url,
        format=format,
        zone=zoneid,
        checksum=checksum,
        offering=diskofferingid,
        store=imagestoreuuid,
    )
    return Job(lambda: uploads.fetch(volume.id), volume)


@command(
    "getUploadParamsForVolume",
    view=UploadParametersView,
    event="VOLUME.UPLOAD",
    response="postuploadvolumeresponse",
    since="4.6.0",
    group="Volume",
)
async def get_upload_params_for_volume(
    call: Call,
    *,
    owner: Owner,
    name: str,
    zoneid: Zone,
    format: Annotated[str, FORMAT],
    checksum: Annotated[str | None, CHECKSUM] = None,
    diskofferingid: Annotated[DiskOffering | None, Param("a disk offering that leaves the size open")] = None,
    imagestoreuuid: Annotated[ImageStore | None, Param("where it is kept", type="string")] = None,
) -> View:
    """Tells how to send the file of a new data disk."""
    made = await call.manager.uploads.volume(
        owner,
        name=name,
        format=format,
        zone=zoneid,
        checksum=checksum,
        offering=diskofferingid,
        store=imagestoreuuid,
    )
    return UploadParametersView.of_parameters(made)


@command(
    "getUploadParamsForTemplate",
    view=UploadParametersView,
    event="TEMPLATE.CREATE",
    response="postuploadtemplateresponse",
    since="4.6.0",
    group="Template",
)
async def get_upload_params_for_template(
    call: Call,
    *,
    owner: Owner,
    request: SentTemplate,
    zoneid: Zone,
) -> View:
    """Tells how to send the file of a new template."""
    if request.format.upper() == ISO:
        raise InvalidParameterValue("An ISO is sent with getUploadParamsForIso")
    made = await call.manager.uploads.template(call.caller, owner, request, zoneid)
    return UploadParametersView.of_parameters(made)


@command(
    "getUploadParamsForIso",
    view=UploadParametersView,
    event="ISO.CREATE",
    response="postuploadisoresponse",
    since="4.13",
    group="ISO",
)
async def get_upload_params_for_iso(
    call: Call,
    *,
    owner: Owner,
    request: SentIso,
    zoneid: Zone,
    format: Annotated[Literal["ISO", "iso"], Param("ISO", type="string")],
) -> View:
    """Tells how to send the file of a new ISO."""
    made = await call.manager.uploads.template(call.caller, owner, request, zoneid)
    return UploadParametersView.of_parameters(made)
