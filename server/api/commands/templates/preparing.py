"""Templates brought onto primary storage before instances need them there."""

from __future__ import annotations

from typing import Annotated

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.model import StoragePool, Template, Zone
from server.api.command import ADMINS, Call, Listed, command
from server.api.commands.templates.views import TemplateView, in_zones
from server.api.parameters import Param


@command(
    "prepareTemplate", view=TemplateView, many=True, roles=ADMINS, event="TEMPLATE.PREPARE", group="Template"
)
async def prepare_template(
    call: Call,
    *,
    zoneid: Zone,
    templateid: Template,
    storageid: Annotated[
        StoragePool | None, Param("the primary storage; by default every one of the zone that is up")
    ] = None,
) -> Listed:
    """Brings a template onto primary storage, so that instances of it start sooner there."""
    template = call.manager.templates.active(templateid, iso=False)
    copy = call.manager.template_images.in_zone(template.id, zoneid.id)
    if copy is None or copy.state != "Ready":
        raise InvalidParameterValue(f"Template {template.name} is not ready in zone {zoneid.name}")
    if storageid is not None and (storageid.zone_id != zoneid.id or storageid.state != "Up"):
        raise InvalidParameterValue(f"Storage pool {storageid.name} is not one of zone {zoneid.name} that is Up")
    pools = call.store.table(StoragePool).where("zone_id", zoneid.id) if storageid is None else [storageid]
    failure: CloudError | None = None
    for pool in pools:
        try:
            if pool.state == "Up":
                await call.manager.disks.pool_templates.prepare(template, pool)
        except CloudError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    rows = [each for each in in_zones(template, call) if each.zone is not None and each.zone.id == zoneid.id]
    return Listed(rows, len(rows))
