"""Every configuration key the cloud knows: those it acts on, and those it keeps for clients."""

from __future__ import annotations

from cloudsim.management.operations.configuration_key import ConfigurationKey as ConfigurationKey
from cloudsim.management.operations.keys_in_force import IN_FORCE
from cloudsim.management.operations.keys_kept import KEPT
from cloudsim.management.operations.keys_of_access import OF_ACCESS
from cloudsim.management.operations.keys_of_backups import OF_BACKUPS
from cloudsim.management.operations.keys_of_capacity import OF_CAPACITY
from cloudsim.management.operations.keys_of_certificates import OF_CERTIFICATES
from cloudsim.management.operations.keys_of_consoles import OF_CONSOLES
from cloudsim.management.operations.keys_of_drs import OF_DRS
from cloudsim.management.operations.keys_of_host_ha import OF_HOST_HA, OF_OUT_OF_BAND
from cloudsim.management.operations.keys_of_instances import OF_INSTANCES
from cloudsim.management.operations.keys_of_networks import OF_NETWORKS
from cloudsim.management.operations.keys_of_routers import OF_ROUTERS
from cloudsim.management.operations.keys_of_secondary_storage import SECONDARY_STORAGE
from cloudsim.management.operations.keys_of_storage import OF_STORAGE
from cloudsim.management.operations.keys_of_usage import OF_USAGE
from cloudsim.management.operations.keys_of_vpcs import OF_VPCS

KEYS: dict[str, ConfigurationKey] = {
    key.name: key
    for keys in (
        KEPT,
        SECONDARY_STORAGE,
        IN_FORCE,
        OF_ACCESS,
        OF_STORAGE,
        OF_BACKUPS,
        OF_INSTANCES,
        OF_NETWORKS,
        OF_CAPACITY,
        OF_CERTIFICATES,
        OF_CONSOLES,
        OF_ROUTERS,
        OF_VPCS,
        OF_DRS,
        OF_OUT_OF_BAND,
        OF_HOST_HA,
        OF_USAGE,
    )
    for key in keys
}
