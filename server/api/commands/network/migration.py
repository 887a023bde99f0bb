"""Networks and VPCs that are moved to another physical network, or to other providers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import Network, NetworkOffering, Vpc, VpcOffering
from server.api.command import ROOT, Call, Job, command
from server.api.commands.network.network_view import NetworkView
from server.api.commands.vpc.vpcs import VpcView
from server.api.parameters import Param

Resume = Annotated[bool, Param("go on with a migration of before that was not finished")]


@command(
    "migrateNetwork",
    view=NetworkView,
    job=True,
    event="NETWORK.MIGRATE",
    roles=ROOT,
    group="Network",
    since="4.11.0",
)
async def migrate_network(
    call: Call,
    *,
    networkid: Network,
    networkofferingid: Annotated[NetworkOffering, Param("its tags lead to the physical network")],
    resume: Resume = False,
) -> Job:
    """Moves a network to another physical network, or to other providers, while its instances run."""
    moves = call.manager.network_moves
    moves.check(networkid, networkofferingid, resume=resume)
    return Job(lambda: moves.move(networkid.id, networkofferingid, resume=resume), networkid)


@command(
    "migrateVPC", view=VpcView, job=True, event="VPC.MIGRATE", roles=ROOT, group="VPC", since="4.11.0"
)
async def migrate_vpc(
    call: Call,
    *,
    vpcid: Vpc,
    vpcofferingid: VpcOffering,
    tiernetworkofferings: Annotated[
        Sequence[Mapping[str, str]] | None, Param("networkid and networkofferingid of every tier")
    ] = None,
    resume: Resume = False,
) -> Job:
    """Moves a VPC with its tiers to another physical network, or to other providers, while its instances run."""
    moves = call.manager.network_moves
    tiers = _tiers(call, tiernetworkofferings or ())
    moves.check_vpc(vpcid, vpcofferingid, tiers, resume=resume)
    return Job(lambda: moves.move_vpc(vpcid.id, vpcofferingid, tiers, resume=resume), vpcid)


def _tiers(call: Call, entries: Sequence[Mapping[str, str]]) -> dict[str, NetworkOffering]:
    found: dict[str, NetworkOffering] = {}
    for entry in entries:
        given = {name.lower(): value for name, value in entry.items()}
        network_id, offering_id = given.get("networkid", ""), given.get("networkofferingid", "")
        offering = call.resolve(NetworkOffering, offering_id, "use") if offering_id else None
        if not network_id or offering is None:
            raise InvalidParameterValue(
                "Each entry of tiernetworkofferings needs the networkid of a tier and the networkofferingid of an offering"
            )
        found[network_id] = offering
    return found
