"""All services of one management server, each made from what it stands on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from cloudsim.management.compute.affinity import Affinity
from cloudsim.management.compute.affinity_groups import AffinityGroups
from cloudsim.management.compute.disk_witnesses import DiskWitnesses
from cloudsim.management.compute.drs import Drs
from cloudsim.management.compute.guest_os import GuestOsTypes
from cloudsim.management.compute.high_availability import HighAvailability
from cloudsim.management.compute.import_plan import ImportPlans
from cloudsim.management.compute.instance_groups import InstanceGroups
from cloudsim.management.compute.iso_attachment import IsoAttachment
from cloudsim.management.compute.key_pairs import KeyPairs
from cloudsim.management.compute.offerings import Offerings
from cloudsim.management.compute.power_sync import PowerSync
from cloudsim.management.compute.root_disk_change import RootDiskChange
from cloudsim.management.compute.unmanaged import Unmanaged
from cloudsim.management.compute.user_data import UserDataStore
from cloudsim.management.compute.vm_allocation import Allocation
from cloudsim.management.compute.vm_assignment import VmAssignment
from cloudsim.management.compute.vm_changes import VmChanges
from cloudsim.management.compute.vm_import import VmImport
from cloudsim.management.compute.vm_leases import VmLeases
from cloudsim.management.compute.vm_migration import Migration
from cloudsim.management.compute.vm_passwords import VmPasswords
from cloudsim.management.compute.vm_scaling import Scaling
from cloudsim.management.compute.vm_schedules import VmSchedules
from cloudsim.management.compute.vm_snapshot_expiry import VmSnapshotExpiry
from cloudsim.management.compute.vm_snapshots import VmSnapshots
from cloudsim.management.compute.vm_start import Starting
from cloudsim.management.compute.vm_storage_migration import StorageMotion
from cloudsim.management.compute.vm_usage import VmUsages
from cloudsim.management.compute.vms import VirtualMachines
from cloudsim.management.extensions.custom_actions import CustomActions
from cloudsim.management.extensions.extensions import Extensions
from cloudsim.management.extensions.external_hosts import ExternalHosts
from cloudsim.management.extensions.payloads import Payloads
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.identity import Identity
from cloudsim.management.identity.limits import Limits
from cloudsim.management.identity.possessions import Possessions
from cloudsim.management.identity.project_invitations import ProjectInvitations
from cloudsim.management.identity.project_roles import ProjectRoles
from cloudsim.management.identity.projects import Projects
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.infrastructure.capacity_alerts import CapacityAlerts
from cloudsim.management.infrastructure.capacity_history import CapacityHistory
from cloudsim.management.infrastructure.capacity_report import CapacityReport
from cloudsim.management.infrastructure.certificates import Certificates
from cloudsim.management.infrastructure.clusters import Clusters
from cloudsim.management.infrastructure.dedication import Dedication
from cloudsim.management.infrastructure.gpus import Gpus
from cloudsim.management.infrastructure.host_ha import HostHighAvailability
from cloudsim.management.infrastructure.host_ha_providers import HaProvider, SimulatorHaProvider
from cloudsim.management.infrastructure.host_states import HostStates
from cloudsim.management.infrastructure.host_uses import HostUses
from cloudsim.management.infrastructure.hosts import Hosts
from cloudsim.management.infrastructure.out_of_band import OutOfBand
from cloudsim.management.infrastructure.pod_ranges import PodRanges
from cloudsim.management.infrastructure.pods import Pods
from cloudsim.management.infrastructure.regions import Regions
from cloudsim.management.infrastructure.topology import TopologyReport
from cloudsim.management.infrastructure.zones import Zones
from cloudsim.management.network.account_networks import AccountNetworks
from cloudsim.management.network.ip_association import IpAssociation
from cloudsim.management.network.ip_ranges import IpRanges
from cloudsim.management.network.ipv6_prefixes import GuestIpv6Prefixes
from cloudsim.management.network.network_life import NetworkLife
from cloudsim.management.network.network_moves import NetworkMoves
from cloudsim.management.network.network_offerings import NetworkOfferings
from cloudsim.management.network.network_permissions import NetworkPermissions
from cloudsim.management.network.networks import Networks
from cloudsim.management.network.nic_changes import NicChanges
from cloudsim.management.network.nics import Nics
from cloudsim.management.network.physical_networks import PhysicalNetworks
from cloudsim.management.network.portable_ip_ranges import PortableIpRanges
from cloudsim.management.network.portable_moves import PortableMoves
from cloudsim.management.network.public_ips import PublicIps
from cloudsim.management.network.public_ipv6 import PublicIpv6s
from cloudsim.management.network.rules import NetworkRules
from cloudsim.management.network.security_delivery import SecurityDelivery
from cloudsim.management.network.security_groups import SecurityGroups
from cloudsim.management.network.security_members import SecurityMembers
from cloudsim.management.network.security_rules import SecurityRules
from cloudsim.management.network.source_nat import SourceNat
from cloudsim.management.operations.annotations import Annotations
from cloudsim.management.operations.details import ResourceDetails
from cloudsim.management.operations.fixed_details import FIXED_DETAILS
from cloudsim.management.operations.history import History
from cloudsim.management.operations.jobs import Jobs
from cloudsim.management.operations.tags import Tags
from cloudsim.management.operations.traces import Traces
from cloudsim.management.operations.webhooks import Webhooks
from cloudsim.management.storage.backups.backups import Backups
from cloudsim.management.storage.backups.from_backups import FromBackups
from cloudsim.management.storage.backups.offerings import BackupOfferings
from cloudsim.management.storage.backups.providers import BackupProviders
from cloudsim.management.storage.backups.repositories import BackupRepositories
from cloudsim.management.storage.backups.schedules import BackupSchedules
from cloudsim.management.storage.disks import Disks
from cloudsim.management.storage.extraction import Extraction
from cloudsim.management.storage.image_migration import ImageMigration
from cloudsim.management.storage.image_stores import ImageStores
from cloudsim.management.storage.local_storage import LocalStorage
from cloudsim.management.storage.pool_maintenance import PoolMaintenance
from cloudsim.management.storage.pool_scope import PoolScope
from cloudsim.management.storage.primary_storage import PrimaryStorage
from cloudsim.management.storage.secondary_storage import SecondaryStorage
from cloudsim.management.storage.snapshot_policies import SnapshotPolicies
from cloudsim.management.storage.snapshots import Snapshots
from cloudsim.management.storage.storage_objects import StorageObjects
from cloudsim.management.storage.storage_statistics import StorageStatistics
from cloudsim.management.storage.template_images import TemplateImages
from cloudsim.management.storage.template_removal import TemplateRemoval
from cloudsim.management.storage.templates import Templates
from cloudsim.management.storage.uploads import Uploads
from cloudsim.management.storage.volume_attachment import VolumeAttachment
from cloudsim.management.storage.volume_migration import VolumeMigration
from cloudsim.management.storage.volume_offering import VolumeOfferings
from cloudsim.management.storage.volume_usage import VolumeUsages
from cloudsim.management.storage.volumes import Volumes
from cloudsim.management.systemvm.console_proxies import ConsoleProxies
from cloudsim.management.systemvm.consoles import Consoles
from cloudsim.management.systemvm.router_health import RouterHealth
from cloudsim.management.systemvm.router_legs import RouterLegs
from cloudsim.management.systemvm.routers import Routers
from cloudsim.management.systemvm.secondary_storage_vms import SecondaryStorageVms
from cloudsim.management.systemvm.system_vms import SystemVms
from cloudsim.management.systemvm.transfers import Transfers
from cloudsim.management.systemvm.watch import SystemVmWatch
from cloudsim.management.usage.counting import UsageCounting
from cloudsim.management.usage.records import UsageRecords
from cloudsim.management.usage.windows import Windows
from cloudsim.management.vpc.acls import NetworkAcls
from cloudsim.management.vpc.internal_load_balancers import InternalLoadBalancers
from cloudsim.management.vpc.private_gateways import PrivateGateways
from cloudsim.management.vpc.static_routes import StaticRoutes
from cloudsim.management.vpc.unfinished import Removals
from cloudsim.management.vpc.vpc_offerings import VpcOfferings
from cloudsim.management.vpc.vpcs import Vpcs
from cloudsim.management.vpn.customer_gateways import CustomerGateways
from cloudsim.management.vpn.remote_access import RemoteAccess
from cloudsim.management.vpn.site_to_site import SiteToSite
from cloudsim.model import NetworkAcl, PrivateGateway, RemoteAccessVpn, StaticRoute, VpnConnection, VpnUser
from cloudsim.placement import HostCapacity, Planner
from cloudsim.randomness import Randomness
from cloudsim.store import Store
from cloudsim.world import World


class Services:
    """What a cloud can do, a service for each concern. `spawn` runs a coroutine in the background."""

    def __init__(
        self,
        store: Store,
        world: World,
        randomness: Randomness,
        spawn: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]],
    ) -> None:
        self.store = store
        self.world = world
        self.foundation = foundation = Foundation(store, randomness, world.now)
        self.settings = foundation.settings
        self.events = foundation.events
        self.traces = Traces(foundation)
        self.jobs = Jobs(foundation, self.traces)
        self.agents = agents = Agents(foundation)
        agents.traces = self.traces

        self.identity = Identity(foundation)
        self.roles = self.identity.roles
        self.limits = Limits(foundation)
        self.projects = Projects(foundation, self.identity, self.limits)
        self.project_invitations = ProjectInvitations(foundation, self.projects)
        self.project_roles = ProjectRoles(foundation)
        self.tags = Tags(foundation)
        self.details = ResourceDetails(foundation)
        self.details.fixed |= FIXED_DETAILS
        self.annotations = Annotations(foundation)
        self.history = History(foundation)
        self.regions = Regions(foundation)
        self.webhooks = Webhooks(foundation, spawn)

        self.guest_os = GuestOsTypes(foundation)
        self.offerings = Offerings(foundation)
        self.network_offerings = NetworkOfferings(foundation)
        self.public_ips = PublicIps(foundation, self.limits)
        self.public_ipv6 = PublicIpv6s(foundation, self.public_ips)
        self.ipv6_prefixes = GuestIpv6Prefixes(foundation)
        self.networks = Networks(foundation, self.limits, self.ipv6_prefixes, self.public_ipv6)
        self.network_life = NetworkLife(foundation)
        self.network_life.on_delete += (self.ipv6_prefixes.release, self.public_ipv6.release_network)
        self.network_permissions = NetworkPermissions(foundation)
        self.network_life.on_delete.append(self.network_permissions.reset)
        self.physical_networks = PhysicalNetworks(foundation)
        self.ip_ranges = IpRanges(foundation)
        self.portable_ip_ranges = PortableIpRanges(foundation, self.regions)
        self.zones = Zones(foundation, self.networks.defaults.fit)
        self.pods = Pods(foundation)
        self.pod_ranges = PodRanges(foundation)
        self.clusters = Clusters(foundation)
        self.primary_storage = PrimaryStorage(foundation, agents)
        self.pool_scope = PoolScope(foundation, agents, self.primary_storage)
        self.secondary_storage = SecondaryStorage(foundation, agents)
        self.storage_statistics = StorageStatistics(foundation, agents, self.primary_storage)

        self.capacity = HostCapacity(store, foundation.settings)
        self.planner = Planner(self.capacity, foundation.settings, randomness)
        self.planner.on_planned = self.traces.planning
        self.gpus = Gpus(foundation, self.capacity)
        self.topology = TopologyReport(foundation, self.capacity, world)
        self.disks = Disks(foundation, agents)
        capacity_report = CapacityReport(foundation, self.capacity, self.disks)
        self.capacity_history = CapacityHistory(foundation, self.capacity, capacity_report)
        self.capacity_alerts = CapacityAlerts(foundation, capacity_report)
        self.security_members = SecurityMembers(foundation)
        self.security_groups = SecurityGroups(foundation, self.security_members)
        self.security_rules = SecurityRules(foundation, self.security_members)
        self.nics = Nics(foundation, self.security_rules)
        self.security_delivery = SecurityDelivery(
            foundation, agents, self.nics, self.security_rules, self.security_members, spawn
        )
        self.affinity = Affinity(foundation)

        self.template_images = TemplateImages(foundation, agents, self.disks, self.secondary_storage, spawn)
        self.templates = Templates(foundation, self.template_images, self.limits)
        self.template_removal = TemplateRemoval(foundation, self.template_images)
        self.image_stores = ImageStores(foundation, self.template_images.associate)
        self.volumes = Volumes(foundation, agents, self.disks, self.limits)
        self.volume_migration = VolumeMigration(foundation, agents, self.disks, self.secondary_storage)
        self.volume_offerings = VolumeOfferings(foundation, self.volumes, self.volume_migration)
        self.volume_attachment = VolumeAttachment(
            foundation, agents, self.disks, self.volume_migration, self.limits
        )
        self.storage_objects = StorageObjects(
            foundation, agents, self.disks, self.secondary_storage, self.limits
        )
        self.image_migration = ImageMigration(foundation, agents, self.secondary_storage)
        self.iso_attachment = IsoAttachment(foundation, agents, self.disks)
        self.snapshots = Snapshots(foundation, agents, self.disks, self.secondary_storage, self.limits)
        self.snapshot_policies = SnapshotPolicies(foundation, self.snapshots)
        self.vm_snapshots = VmSnapshots(foundation, agents, self.disks)
        self.nic_changes = NicChanges(
            foundation,
            agents,
            self.nics,
            self.network_life,
            self.security_groups,
            self.network_permissions,
        )
        self.key_pairs = KeyPairs(foundation)
        self.user_data = UserDataStore(foundation)
        self.affinity_groups = AffinityGroups(foundation, self.affinity)
        self.dedication = Dedication(foundation, self.identity, self.affinity_groups)
        self.instance_groups = InstanceGroups(foundation)

        self.account_networks = AccountNetworks(foundation, self.networks)
        self.allocation = Allocation(
            foundation,
            self.disks,
            self.nics,
            self.limits,
            self.instance_groups,
            self.security_groups,
            self.account_networks,
            self.network_permissions,
            self.affinity_groups,
            self.dedication,
        )
        self.starting = Starting(
            foundation,
            agents,
            self.capacity,
            self.planner,
            self.disks,
            self.nics,
            self.affinity,
            self.network_life.implement,
        )
        self.vms = VirtualMachines(
            foundation, self.jobs, agents, self.allocation, self.starting, self.disks, self.nics
        )
        self.system_vms = SystemVms(
            foundation,
            self.identity,
            self.jobs,
            agents,
            self.vms,
            self.disks,
            self.nics,
            self.nics.system_networks,
            self.public_ips,
        )
        self.routers = Routers(
            foundation, self.system_vms, self.public_ips, RouterLegs(foundation, agents, self.nics), spawn
        )
        self.console_proxies = ConsoleProxies(foundation, self.system_vms, spawn)
        self.consoles = Consoles(foundation, agents, self.system_vms, self.console_proxies, spawn)
        self.system_vm_watch = SystemVmWatch(foundation, self.jobs, self.system_vms, self.routers, spawn)
        self.router_health = RouterHealth(foundation, self.system_vms, spawn)
        self.router_health.on_failed = lambda router: self.routers.make_anew([router])
        usage_windows = Windows(self.settings)
        self.usage_counting = UsageCounting(foundation, usage_windows, self.identity)
        self.usage_records = UsageRecords(foundation, self.usage_counting, usage_windows)
        self.router_health.on_measured = self.usage_counting.of_router
        self.network_life.routers = self.routers
        self.network_moves = NetworkMoves(
            foundation,
            agents,
            self.nics,
            self.network_life.vlans,
            self.routers,
            self.jobs,
            self.networks.check_change,
        )
        self.rules = NetworkRules(foundation, self.routers, self.jobs.busy)
        self.network_life.on_delete.append(self.rules.removal.of_network)
        self.ip_association = IpAssociation(
            foundation, self.public_ips, self.network_life, self.routers, self.rules.removal.of_address
        )
        self.network_life.on_delete.append(self.ip_association.leave)
        self.rules.static_nats.portable = PortableMoves(
            foundation, self.public_ips, self.ip_association, self.rules.use, self.routers
        )
        self.source_nat = SourceNat(foundation, self.public_ips, self.routers)
        self.nic_changes.rules = self.rules.removal
        self.nic_changes.routers = self.routers
        self.vms.expunging.on_expunge.append(self.rules.removal.forget_vm)
        self.vms.expunging.on_left.append(self.routers.touch)
        self.host_uses = HostUses(foundation)
        self.vm_usages = VmUsages(foundation, agents, spawn, self.host_uses.measured)
        self.vms.expunging.on_expunge.append(self.vm_usages.forget)
        self.volume_usages = VolumeUsages(foundation, agents, spawn)
        self.starting.tell_router = self.routers.sync
        self.starting.system = self.system_vms.spec
        self.starting.take_address = self.system_vms.take_pod_address
        self.vpc_offerings = VpcOfferings(foundation)
        self.vpcs = Vpcs(foundation, self.limits, self.routers, self.public_ips, self.public_ipv6)
        self.network_acls = NetworkAcls(foundation, self.routers)
        self.private_gateways = PrivateGateways(foundation, self.routers, self.network_acls)
        self.static_routes = StaticRoutes(foundation, self.routers)
        self.internal_load_balancers = InternalLoadBalancers(
            foundation, self.nics, self.rules.changes, self.routers, self.system_vms
        )
        self.rules.members.ensure_internal = self.routers.ensure_internal_lb
        self.customer_gateways = CustomerGateways(foundation)
        self.site_to_site = SiteToSite(foundation, self.routers, self.system_vms)
        self.remote_access = RemoteAccess(foundation, self.routers, self.rules.use, self.rules.firewall)
        self.vpc_removals = Removals(
            foundation,
            self.jobs.busy,
            self.jobs.hold,
            (
                (NetworkAcl, "Revoke", self.network_acls.delete_rule),
                (StaticRoute, "Revoke", self.static_routes.delete),
                (PrivateGateway, "Deleting", self.private_gateways.delete),
                (VpnConnection, "Removed", self.site_to_site.delete),
                (RemoteAccessVpn, "Removed", self.remote_access.delete),
                (VpnUser, "Revoke", self.remote_access.delete_user),
            ),
        )
        self.vpcs.on_delete += (
            self.remote_access.remove_of,
            self.site_to_site.remove_of,
            self.static_routes.remove_of,
            self.private_gateways.remove_of,
            self.network_acls.remove_of,
        )
        self.network_life.on_delete.append(self.remote_access.remove_of_network)
        self.system_vm_watch.on_up.append(self.site_to_site.router_is_up)
        self.system_vm_watch.on_told.append(self.site_to_site.router_told)
        self.secondary_storage_vms = SecondaryStorageVms(foundation, self.system_vms)
        self.transfers = Transfers(foundation, self.system_vms, self.secondary_storage_vms, spawn)
        self.extraction = Extraction(
            foundation, agents, self.disks, self.secondary_storage, self.template_images, self.transfers
        )
        self.uploads = Uploads(
            foundation, agents, self.secondary_storage, self.limits, self.templates, self.transfers, spawn
        )
        self.template_images.carrier = self.transfers
        self.transfers.listeners |= {
            "Template": self.template_images.transfer_changed,
            "Iso": self.template_images.transfer_changed,
            "Volume": self.uploads.volume_changed,
        }
        self.volumes.on_removed = self.volume_attachment.on_placed = self.uploads.leave_store
        self.disks.on_placed = self.uploads.leave_store
        self.system_vms.on_gone.append(self.transfers.vm_is_gone)
        self.vm_passwords = VmPasswords(foundation)
        self.scaling = Scaling(
            foundation,
            agents,
            self.planner,
            self.allocation.vm_quota,
            self.disks,
            RootDiskChange(foundation, self.disks, self.volume_offerings),
        )
        self.vm_changes = VmChanges(
            foundation, self.instance_groups, self.security_groups, self.affinity_groups
        )
        self.vm_assignment = VmAssignment(
            foundation,
            self.allocation,
            self.account_networks,
            self.disks,
            self.nics,
            self.rules.removal,
            self.security_groups,
            self.limits,
            self.dedication,
        )
        self.vm_schedules = VmSchedules(foundation, self.identity, self.jobs, self.vms)
        self.vm_leases = VmLeases(foundation, self.identity, self.jobs, self.vms)
        self.vm_snapshot_expiry = VmSnapshotExpiry(foundation, self.identity, self.jobs, self.vm_snapshots)
        self.backup_repositories = BackupRepositories(foundation)
        self.backup_providers = providers = BackupProviders(foundation, self.secondary_storage)
        self.backup_offerings = BackupOfferings(foundation, providers)
        self.vms.expunging.checks.append(self.backup_offerings.check_expunge)
        self.vms.expunging.on_expunge.append(self.backup_offerings.forget)
        self.backups = Backups(
            foundation, agents, self.disks, self.secondary_storage, self.limits, providers, self.backup_offerings
        )
        self.backup_schedules = BackupSchedules(
            foundation, self.identity, self.jobs, providers, self.backup_offerings, self.backups
        )
        self.from_backups = FromBackups(foundation, self.disks, self.limits, self.volume_attachment, providers)
        self.identity.accounts.on_delete.insert(0, self.backups.delete_of)
        self.migration = Migration(
            foundation, agents, self.capacity, self.planner, self.starting, self.disks, self.affinity
        )
        self.disk_witnesses = DiskWitnesses(foundation, agents, self.disks)
        self.storage_motion = StorageMotion(
            foundation, agents, self.starting, self.disks, self.volume_migration, self.migration
        )
        self.high_availability = HighAvailability(
            foundation, self.identity, self.jobs, self.vms, self.disk_witnesses, spawn
        )
        self.drs = Drs(foundation, self.identity, self.jobs, self.capacity, self.migration, spawn)
        self.unmanaged = Unmanaged(foundation, agents, self.disks, self.nics)
        self.unmanaged.on_unmanage += (
            self.rules.removal.forget_vm,
            self.vm_usages.forget,
            self.vm_schedules.forget,
            self.backup_offerings.forget,
        )
        self.vm_import = VmImport(
            foundation,
            self.unmanaged,
            ImportPlans(foundation, self.allocation, self.disks, self.nics),
            self.allocation,
            self.capacity,
            self.nics,
            self.limits,
            self.network_life.implement,
            self.migration.migrate,
            agents,
            lambda vm: self.starting.spec(vm, tuple(self.disks.spec(each) for each in self.disks.of(vm))),
            self.security_groups.join,
        )
        self.power_sync = PowerSync(foundation, self.jobs, agents, spawn)
        self.host_states = HostStates(foundation, agents, self.power_sync)
        self.host_states.on_connected.append(self.security_delivery.connected)
        self.extensions = Extensions(foundation)
        payloads = Payloads(foundation, self.extensions, self.roles, lambda vm: self.starting.spec(vm, ()))
        self.custom_actions = CustomActions(foundation, self.extensions, payloads, self.roles)
        self.clusters.on_delete.append(self.extensions.forget)
        self.external_hosts = ExternalHosts(foundation, self.extensions, payloads, agents)
        self.vms.expunging.on_expunge.append(self.external_hosts.expunge)
        self.hosts = Hosts(
            foundation,
            world,
            agents,
            self.primary_storage,
            self.external_hosts,
            evacuate=self.migration.evacuate,
            stop_all=self.vms.stop_all_on,
            spawn=spawn,
        )
        self.certificates = Certificates(foundation, world, agents, self.hosts)
        self.out_of_band = OutOfBand(foundation, self.identity, world, spawn)
        self.hosts.on_delete.append(self.out_of_band.forget)
        self.host_ha = HostHighAvailability(
            foundation,
            self.identity,
            agents,
            self.power_sync,
            self.host_states,
            tuple(
                provider(foundation, agents, self.out_of_band, self.disk_witnesses)
                for provider in (HaProvider, SimulatorHaProvider)
            ),
            spawn,
        )
        self.hosts.on_delete.append(self.host_ha.forget)
        self.local_storage = LocalStorage(foundation, self.vms, self.volumes)
        self.pool_maintenance = PoolMaintenance(foundation, self.primary_storage, self.vms.stop_users_of)
        self.possessions = Possessions(
            foundation,
            self.jobs,
            self.vms,
            self.volumes,
            self.snapshots,
            self.template_removal,
            self.network_life,
        )
        self.identity.accounts.on_delete.append(self.possessions.delete)
        self.identity.accounts.on_delete += (
            self.rules.removal.delete_of,
            self.vpcs.delete_of,
            self.site_to_site.delete_of,
            self.remote_access.delete_of,
            self.webhooks.delete_of,
        )
        self.identity.accounts.on_delete.append(self.ip_association.release_of)
        self.identity.accounts.on_delete.append(self.network_life.vlans.release_of)
        self.identity.accounts.on_delete.append(self.security_groups.delete_all_of)
        self.identity.accounts.on_delete.append(self.network_permissions.forget)
        self.identity.accounts.on_disable.append(self.possessions.stop)
