"""How long the packets of virtual routers' interfaces may be, as their networks and VPCs say."""

from __future__ import annotations

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.identity.caller import Caller
from cloudsim.management.network.router_use import routed_services
from cloudsim.management.operations.settings import Settings
from cloudsim.model import NetworkOffering

LEAST = 576
"""Bytes that every interface takes (RFC 791)."""
BY_USERS = "allow.end.users.to.specify.vr.mtu"
MOST = {
    "publicmtu": "vr.public.interface.max.mtu",
    "privatemtu": "vr.private.interface.max.mtu",
}
"""The key that bounds each parameter, in every zone."""


def check_mtu(settings: Settings, zone_id: str, name: str, mtu: int | None) -> None:
    """Raise InvalidParameterValue for what is no MTU that the parameter may have in the zone."""
    most = settings.integer(MOST[name], "Zone", zone_id)
    if mtu is not None and not LEAST <= mtu <= most:
        raise InvalidParameterValue(f"{name} must be from {LEAST} to {most}, not {mtu}; see {MOST[name]}")


def check_mtus(
    settings: Settings,
    caller: Caller,
    zone_id: str,
    offering: NetworkOffering | None,
    *,
    public: int | None,
    private: int | None,
    tier: bool,
) -> None:
    """Raise what stands against a network of that offering having these MTUs; None: nothing is asked for."""
    if public is None and private is None:
        return
    if not caller.is_admin and not settings.boolean(BY_USERS, "Zone", zone_id):
        raise PermissionDenied(f"Parameters publicmtu and privatemtu are for admins alone, as {BY_USERS} says")
    if not routed_services(offering):
        raise InvalidParameterValue("Parameters publicmtu and privatemtu are for networks with a virtual router")
    if public is not None and tier:
        raise InvalidParameterValue("Parameter publicmtu: the public interface of a tier's router is its VPC's")
    if public is not None and offering is not None and offering.guest_type != "Isolated":
        raise InvalidParameterValue("Parameter publicmtu: the router of a shared network has no public interface")
    check_mtu(settings, zone_id, "publicmtu", public)
    check_mtu(settings, zone_id, "privatemtu", private)
