"""What a host is good for just now, in CloudStack's word for state and resource state together."""

from __future__ import annotations

from cloudsim.model import Host


def control_state(host: Host) -> str:
    """Offline, Maintenance, Disabled or Enabled."""
    if host.state != "Up":
        return "Offline"
    return host.resource_state if host.resource_state in ("Enabled", "Disabled") else "Maintenance"
